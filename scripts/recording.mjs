// Records docs/images/chat.svg: the real chat in a temporary sandbox, from a question to an approved and filled order.
// Needs `script` (util-linux) for a terminal. Run it after a build when the look of the chat changes:
// node scripts/recording.mjs
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createPhoneClient } from '../src/home/phone/phone-client.ts';
import { readReadyFile } from '../src/sandbox/ready-file.ts';
import { film } from './recording/film.mjs';
import { createScreen } from './recording/screen.mjs';

const COLUMNS = 92;
const ROWS = 30;
const LIMIT_MS = 30_000;
const launcher = fileURLToPath(new URL('../bin/trade-agent.js', import.meta.url));
const picture = fileURLToPath(new URL('../docs/images/chat.svg', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'trade-agent-recording-'));
const readyFile = join(folder, 'ready.json');
const env = {
  PATH: process.env.PATH,
  HOME: folder,
  TERM: 'xterm-256color',
  COLORTERM: 'truecolor',
  LANG: 'C.UTF-8',
  TRADE_AGENT_HOME: join(folder, 'agent'),
  TRADE_AGENT_SANDBOX: readyFile,
};
const started = new Set();

try {
  const sandbox = start(['sandbox', '--home', join(folder, 'sandbox'), '--port', '0', '--ready-file', readyFile]);
  const ready = await until(() => readReadyFile(readyFile), 'the sandbox');
  const phone = createPhoneClient({
    phone: ready.phone,
    pairingSecret: readFileSync(join(ready.home, 'pairing-secret'), 'utf8').trim(),
  });
  await signIn(phone);
  const frames = await chat(phone);
  writeFileSync(
    picture,
    film(frames, { columns: COLUMNS, rows: ROWS, title: 'trade-agent: from a sentence to a fill' }),
  );
  sandbox.kill();
} finally {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function signIn(phone) {
  const login = start(['login']);
  const [code] = await until(() => /\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/.exec(login.said), 'a sign-in code');
  await phone.completeDevice('alice', code);
  await until(() => login.exitCode !== null, 'the sign-in');
}

/** Types requests and approves the order on the phone. */
async function chat(phone) {
  const screen = createScreen(COLUMNS, ROWS);
  const child = spawn(
    'script',
    ['-qefc', `stty cols ${COLUMNS} rows ${ROWS}; exec "${process.execPath}" "${launcher}"`, '/dev/null'],
    { env: { ...env, SHELL: '/bin/sh' }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  started.add(child);
  child.stdout.on('data', (bytes) => screen.write(bytes));
  const shows = (pattern) => until(() => pattern.test(screen.text()), `${pattern} on the screen`);
  const type = async (text) => {
    for (const letter of text) {
      child.stdin.write(letter);
      await pause(55);
    }
    await pause(300);
    child.stdin.write('\r');
  };
  await shows(/PAPER/);
  await pause(1_200);
  await type('what do I own?');
  await shows(/NVDA/);
  await pause(2_500);
  await type('sell 5 NVDA');
  await shows(/code/);
  await pause(4_000);
  const [request] = await phone.requests('alice', { waitSeconds: 10 });
  await phone.decide(request.id, 'approve');
  await shows(/sold 5 NVDA|filled 5/i);
  await pause(2_500);
  const frames = screen.frames();
  child.stdin.write('/quit\r');
  await until(() => child.exitCode !== null, 'the end of the chat');
  return frames;
}

function start(args) {
  const child = spawn(process.execPath, [launcher, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  child.said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (child.said += bytes));
  return child;
}

/** Waits until `look` returns something truthy. */
async function until(look, what) {
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    const found = look();
    if (found) return found;
    if (Date.now() > limit) throw new Error(`timed out waiting for ${what}`);
    await pause(20);
  }
}
