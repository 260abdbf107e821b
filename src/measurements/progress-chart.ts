import type { EChartsOption } from 'echarts';
import { changeOf } from '../common/change.js';
import type { Size } from './dto/measurement.dto.js';
import { SIZES } from './dto/measurement.dto.js';

export interface ProgressChart {
  full_name: string;
  /** IANA zone of the gym, for the days. */
  timezone: string;
  sizes: ReadonlyMap<Size, readonly { measurement_date: Date; value: number }[]>;
}

/** As wide as a phone, so that it is readable there; everything else scales it up. */
const WIDTH = 390;
const HEADER = 78;
const ROW = 104;
/** In single quotes: echarts writes it into an attribute as it is. */
const FONT = `system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif`;
/** What XML does not allow, however it is written. */
const NOT_XML = /[\p{Cc}\ufffe\uffff]/gu;

const LIGHT = '--paper:#fff;--ink:#1a1d21;--muted:#626b76;--rule:#dde2e8;--line:#0b6bcb;--area:#0b6bcb1f';
const DARK = '--paper:#15181c;--ink:#f0f2f5;--muted:#9aa4b0;--rule:#343b44;--line:#6cb6ff;--area:#6cb6ff26';

/** The colours follow the reader's light or dark setting: the picture names them and a style sheet gives them. */
const STYLE = `<style>
:root{${LIGHT}}
@media(prefers-color-scheme:dark){:root{${DARK}}}
</style>`;

/** A member's progress as SVG: a row for each size, from its first value to its last. */
export async function drawProgress({ full_name, timezone, sizes }: ProgressChart): Promise<string> {
  // Loaded when first needed: half a second that not every start should take.
  const echarts = await import('echarts');
  const rows = [...sizes];
  const height = HEADER + Math.max(rows.length, 1) * ROW;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption(options(full_name, timezone, rows));
    return chart.renderToSVGString().replace('>', `>${STYLE}`);
  } finally {
    chart.dispose();
  }
}

type Row = [Size, readonly { measurement_date: Date; value: number }[]];

function options(name: string, timezone: string, rows: Row[]): EChartsOption {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: timezone });
  const moments = rows
    .flatMap(([, points]) => [points[0]!, points.at(-1)!])
    .map(({ measurement_date }) => measurement_date.getTime());
  const range =
    rows.length > 0 ? `${day.format(Math.min(...moments))} to ${day.format(Math.max(...moments))}` : 'No measurements';
  return {
    animation: false,
    backgroundColor: 'var(--paper)',
    textStyle: { fontFamily: FONT },
    title: [
      title(shortened(name.replace(NOT_XML, ' ')), 20, 16, 20, range),
      ...rows.flatMap((row, index) => rowTitles(row, HEADER + index * ROW)),
    ],
    grid: rows.map((_, index) => ({ left: 20, width: 230, top: HEADER + index * ROW + 44, height: 44 })),
    xAxis: rows.map((_, gridIndex) => ({
      gridIndex,
      type: 'time',
      min: Math.min(...moments),
      max: Math.max(...moments),
      axisLabel: { show: false },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLine: { onZero: false, lineStyle: { color: 'var(--rule)' } },
    })),
    yAxis: rows.map((_, gridIndex) => ({ gridIndex, type: 'value', scale: true, show: false })),
    series: rows.map(([size, points], index) => ({
      name: size,
      type: 'line',
      xAxisIndex: index,
      yAxisIndex: index,
      data: points.map(({ measurement_date, value }) => [measurement_date.getTime(), value]),
      symbol: 'circle',
      symbolSize: points.length > 40 ? 0 : 5,
      showSymbol: true,
      itemStyle: { color: 'var(--line)' },
      lineStyle: { color: 'var(--line)', width: 2 },
      areaStyle: { color: 'var(--area)', origin: 'start' },
    })),
  };
}

function rowTitles([size, points]: Row, top: number) {
  const { unit } = SIZES[size];
  const [first, last] = [points[0]!.value, points.at(-1)!.value];
  const { change, percent } = changeOf(first, last, 1);
  const sign = change > 0 ? '+' : '';
  return [
    title(label(size), 20, top + 14, 15, ''),
    title(
      `${last} ${unit}`,
      268,
      top + 42,
      20,
      change === 0 ? `from ${first} ${unit}` : `${sign}${change} ${unit} (${sign}${percent} %)`,
    ),
  ];
}

const title = (text: string, left: number, top: number, fontSize: number, subtext: string) => ({
  text,
  left,
  top,
  padding: 0,
  itemGap: 4,
  textStyle: { color: 'var(--ink)', fontSize, fontWeight: 600 as const },
  subtext,
  subtextStyle: { color: 'var(--muted)', fontSize: 13 },
});

/** Cut between letters, not inside of one that takes two. */
function shortened(name: string): string {
  const letters = [...name];
  return letters.length > 30 ? `${letters.slice(0, 29).join('')}…` : name;
}

/** biceps_left: Biceps left. */
const label = (size: Size): string => size.charAt(0).toUpperCase() + size.slice(1).replace('_', ' ');
