export const page = (title: string, head: string, body: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>${head}</head>
<body>${body}</body>
</html>
`;

export const STYLE = `<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto }
pre { overflow-x: auto; padding: .6rem; background: #8882; border-radius: 4px; font-size: 85% }
code { overflow-wrap: anywhere }
summary { padding: .3rem 0; cursor: pointer }
details > :not(summary) { margin-left: 1.1rem }
td code { overflow-wrap: normal }
td, th { vertical-align: top; text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #8884 }
:target { background: #fd06 }
</style>`;

/** The page that shows an OpenAPI document, light or dark as the reader prefers; nothing comes from elsewhere. */
export const redocPage = (title: string, document: string): string =>
  page(
    title,
    `<style>
:root { color-scheme: light dark }
body { margin: 0; background: #fff }
@media (prefers-color-scheme: dark) {
  body { background: ${DARK.ground} }
  #redoc h5, #redoc h5 span { color: ${DARK.faint} !important }
  #redoc .react-tabs__tab--selected { color: ${DARK.ground} !important }
}
</style>`,
    `<div id="redoc" data-document="${document}"></div>
<script src="/redoc.standalone.js"></script><script src="/redoc.start.js"></script>`,
  );

const DARK = {
  ground: '#17181c',
  raised: '#212329',
  text: '#e4e4e7',
  faint: '#a1a1aa',
  line: '#3f3f46',
  link: '#f5b041',
};

/** https://redocly.com/docs/redoc/config: what is not said stays as it is in the light. */
const DARK_THEME = {
  colors: {
    primary: { main: DARK.link },
    text: { primary: DARK.text, secondary: DARK.faint },
    border: { dark: DARK.line, light: DARK.raised },
    responses: {
      success: { color: '#4ade80', backgroundColor: '#14321f' },
      error: { color: '#f87171', backgroundColor: '#3a1a1c' },
    },
  },
  schema: {
    nestedBackground: DARK.raised,
    linesColor: DARK.line,
    typeNameColor: DARK.faint,
    typeTitleColor: DARK.text,
  },
  typography: { code: { color: '#fca5a5', backgroundColor: DARK.raised } },
  sidebar: { backgroundColor: DARK.raised, textColor: DARK.text },
  rightPanel: { backgroundColor: '#0c0d10' },
};

/** Draws the document that the page names. */
export const REDOC_START = `const place = document.getElementById('redoc');
const dark = matchMedia('(prefers-color-scheme: dark)');
dark.addEventListener('change', () => location.reload());
const theme = dark.matches ? ${JSON.stringify(DARK_THEME)} : {};
Redoc.init(place.dataset.document, { disableSearch: true, theme }, place);
`;

/** Swagger UI, with the files of /docs. @param script shows the document; in the page itself no script may stand */
export const swaggerPage = (title: string, script: string): string =>
  page(
    title,
    '<link rel="stylesheet" href="/docs/swagger-ui.css">',
    `<div id="swagger-ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="${script}"></script>`,
  );
