#!/usr/bin/env node
// Connects a lab board to Spotter. Code that arrives is written to a file and run by a command; what the command says is
// streamed as serial output and answered as the result.
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { io } from 'socket.io-client';

const USAGE = `Usage: node agent.mjs --url http://gym.example:8000 --file sketch.py --command "python3 {file}"

  --url      the Spotter server                         (default http://127.0.0.1:8000)
  --file     where code is written                      (default sketch.txt)
  --command  runs it; {file} is the file's name         (default node {file})
  --seconds  after which a run is stopped, at most 55   (default 50)

A run ends with all that it has started.

The key of the board is read from DEVICE_KEY: others can see a command line.
`;
/** Characters in one message, and the pause in which they are collected: a board that talks fast does not flood. */
const CHUNK = 10_000;
const COLLECT_MS = 100;
const COME_BACK_MS = 5000;
/** What a run has said last is read for so long after its end. */
const LAST_WORDS_MS = 1000;
/** Windows has no groups of processes that end together. */
const HAS_GROUPS = process.platform !== 'win32';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8000' },
    file: { type: 'string', default: 'sketch.txt' },
    command: { type: 'string', default: 'node {file}' },
    seconds: { type: 'string', default: '50' },
    help: { type: 'boolean', default: false },
  },
});
const key = process.env.DEVICE_KEY;
const seconds = Number(values.seconds);
if (values.help || !key || !(seconds > 0 && seconds <= 55)) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 1);
}

const socket = io(`${values.url}/devices`, { auth: { device_key: key }, transports: ['websocket'] });
socket.on('connect', () => process.stdout.write('Connected.\n'));
socket.on('disconnect', (reason) => {
  process.stdout.write(`Disconnected: ${reason}.\n`);
  comeBack();
});
socket.on('connect_error', (error) => {
  process.stderr.write(`${error.data?.error ?? error.message}\n`);
  if (error.data?.code === 4001) process.exit(1);
  comeBack();
});
/** The client comes back by itself if the line broke, but not if the server closed or refused the connection. */
function comeBack() {
  if (!socket.active) setTimeout(() => socket.connect(), COME_BACK_MS);
}

let waiting = '';
setInterval(() => {
  if (!waiting || !socket.connected) return;
  // Half a character (the first of two surrogates) waits for its other half: the server would refuse it.
  const output = waiting.slice(0, CHUNK).replace(/[\uD800-\uDBFF]$/, '');
  socket.emit('serial_output', { output });
  waiting = waiting.slice(output.length);
}, COLLECT_MS);

let running = false;
socket.on('upload', async ({ code }, answer) => {
  if (running) {
    answer({ success: false, output: '', error: 'The board still runs what came before.' });
    return;
  }
  running = true;
  try {
    await writeFile(values.file, code);
    answer(await run());
  } catch (error) {
    answer({ success: false, output: '', error: error.message });
  } finally {
    running = false;
  }
});

// A run is in a group of its own, and does not get the signal that ends the agent.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit());

/** Runs the command on the file. */
function run() {
  return new Promise((resolve) => {
    let output = '';
    const say = (text) => {
      output = lastOf(output + text, 200_000);
      // The server takes no text with NULs.
      waiting = lastOf(waiting + text.replaceAll('\0', '\uFFFD'), 1_000_000);
    };
    const [program, ...parameters] = values.command.split(' ').map((word) => word.replace('{file}', values.file));
    const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'], detached: HAS_GROUPS });
    const stop = () => stopAll(child);
    const timer = setTimeout(stop, seconds * 1000);
    process.once('exit', stop);
    child.stdout.setEncoding('utf8').on('data', say);
    child.stderr.setEncoding('utf8').on('data', say);
    child.on('error', (error) => resolve({ success: false, output, error: error.message }));
    child.on('exit', () => {
      stop();
      // A program that left the group may hold them open for ever.
      setTimeout(() => [child.stdout, child.stderr].forEach((stream) => stream.destroy()), LAST_WORDS_MS);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      process.off('exit', stop);
      const error = signal ? `Stopped after ${seconds} s.` : code === 0 ? undefined : `It ended with ${code}.`;
      resolve({ success: code === 0, output, error });
    });
  });
}

/** The end of a text. Of a character that was cut in two a mark is left (U+FFFD). */
function lastOf(text, most) {
  return text.slice(-most).toWellFormed();
}

/** Stops a run with all that it has started. */
function stopAll(child) {
  if (!HAS_GROUPS) return child.kill('SIGKILL');
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All have ended.
  }
}
