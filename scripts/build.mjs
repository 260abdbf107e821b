// Compiles src, migrations and bench to dist. `--if-stale`: only if something is newer than the last build.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const sources = ['src', 'migrations', 'bench', 'package-lock.json', '.swcrc'];
const onlyIfStale = process.argv.includes('--if-stale');

// An image has the build alone.
if (onlyIfStale && !existsSync('src')) process.exit(0);

function isStale() {
  if (!existsSync('dist/.built')) return true;
  const built = statSync('dist/.built').mtimeMs;
  const isNewer = (file) =>
    statSync(file).mtimeMs > built ||
    (statSync(file).isDirectory() && readdirSync(file).some((name) => isNewer(path.join(file, name))));
  return sources.some(isNewer);
}

if (!onlyIfStale || isStale()) {
  const draft = `.dist-${process.pid}`;
  const swc = [
    'node_modules/@swc/cli/bin/swc.js',
    'src',
    'migrations',
    'bench',
    '-d',
    draft,
    '--config-file',
    '.swcrc',
  ];
  const { status } = spawnSync(process.execPath, [...swc, '--quiet'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  // ReDoc drags React and more behind it; its bundle is all that the server needs.
  mkdirSync(`${draft}/assets`, { recursive: true });
  const redoc = readFileSync('node_modules/redoc/bundles/redoc.standalone.js', 'utf8');
  // Its maker's logo is the one thing that it loads from elsewhere; without it the link has no picture.
  writeFileSync(`${draft}/assets/redoc.standalone.js`, redoc.replace(/https:\/\/cdn\.redoc\.ly[^"]*/g, 'data:,'));
  writeFileSync(`${draft}/.built`, '');
  // Another server that starts at the same moment may have finished first and run from its build already.
  if (!onlyIfStale || isStale()) {
    rmSync('dist', { recursive: true, force: true });
    renameSync(draft, 'dist');
  }
  rmSync(draft, { recursive: true, force: true });
}
