// Prints the figures of docs/BENCHMARKS.md, as ratios measured in this one run. Needs a build.
//   npm run bench
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { benchApprovals } from './bench-approvals.mjs';
import { benchCheck } from './bench-check.mjs';

const launcher = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'trade-agent.js');
const RUNS = Number(process.env.BENCH_RUNS ?? 15);
const TAPS = Number(process.env.BENCH_TAPS ?? 15);

const folder = mkdtempSync(join(tmpdir(), 'trade-agent-bench-'));
const readyFile = join(folder, 'ready.json');
const env = {
  PATH: process.env.PATH,
  HOME: folder,
  TRADE_AGENT_HOME: join(folder, 'agent'),
  TRADE_AGENT_SANDBOX: readyFile,
};

const fastest = (values) => Math.min(...values);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds one process takes from start to end. */
async function time(args) {
  const start = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const status = await ended(child);
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${said}`);
  return performance.now() - start;
}

/** Milliseconds until the chat shows its prompt, in a terminal that `script` (util-linux) makes. */
async function firstPaint() {
  const start = performance.now();
  const child = spawn('script', ['-qfec', `exec "${process.execPath}" "${launcher}"`, '/dev/null'], {
    env: { ...env, TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const closed = ended(child);
  await output(child, /[❯>] /);
  const ms = performance.now() - start;
  child.stdin.write('\x04');
  child.kill();
  await closed;
  return ms;
}

const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

/** Times of several measurements, interleaved, so that a slow moment of the machine hits all alike. */
async function compare(measurements) {
  const times = Object.fromEntries(Object.keys(measurements).map((name) => [name, []]));
  for (const measure of Object.values(measurements)) await measure();
  for (let i = 0; i < RUNS; i++) {
    for (const [name, measure] of Object.entries(measurements)) times[name].push(await measure());
  }
  return times;
}

function cli(args) {
  return spawn(process.execPath, [launcher, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Resolves with the first match in what a process prints. */
function output(child, pattern) {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (chunk) => {
      text += chunk;
      const match = pattern.exec(text);
      if (match) resolve(match);
    };
    child.stdout.on('data', onData);
    child.stderr?.on('data', onData);
    child.once('close', (code) => reject(new Error(`ended with ${code} before ${pattern}: ${text}`)));
  });
}

const ended = (child) => new Promise((resolve) => child.once('close', resolve));

async function phoneCall(ready, path, body) {
  const secret = readFileSync(join(ready.home, 'pairing-secret'), 'utf8').trim();
  const response = await fetch(new URL(path, ready.issuer), {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

/** Milliseconds from the tap on the phone to the fill in the terminal: the run waits, the tap comes, the run ends. */
async function tapToFill(ready) {
  const run = cli(['run', 'buy 1 AAPL', '--output', 'stream-json']);
  const filled = output(run, /"type":"order"/);
  const done = ended(run);
  let request;
  while (!request) {
    const requests = await phoneCall(ready, '/phone/api/requests?user=alice&wait=5');
    request = requests.find(({ status }) => status === 'pending');
  }
  const start = performance.now();
  await phoneCall(ready, `/phone/api/requests/${request.id}`, { decision: 'approve' });
  await filled;
  const ms = performance.now() - start;
  await done;
  return ms;
}

const sandbox = cli(['sandbox', '--home', join(folder, 'sandbox'), '--port', '0', '--ready-file', readyFile]);
try {
  while (!existsSync(readyFile)) await new Promise((resolve) => setTimeout(resolve, 20));
  const ready = JSON.parse(readFileSync(readyFile, 'utf8'));
  const login = cli(['login']);
  const loggedIn = ended(login);
  const [code] = await output(login, /\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
  await phoneCall(ready, '/phone/api/device', { user: 'alice', user_code: code });
  await loggedIn;

  const times = await compare({
    node: () => time(['-e', '0']),
    version: () => time([launcher, '--version']),
    help: () => time([launcher, '--help']),
    quote: () => time([launcher, 'quote', 'AAPL']),
    whoami: () => time([launcher, 'run', 'who am I']),
    ...(hasScript ? { chat: firstPaint } : {}),
  });
  const taps = [];
  for (let i = 0; i < TAPS; i++) taps.push(await tapToFill(ready));

  // On a machine with other work to do, the fastest of many runs says more than the one in the middle.
  const ratio = (values) => {
    const [fast, middle] = [fastest, median].map((pick) => (pick(values) / pick(times.node)).toFixed(2));
    return `${fast.padStart(5)} × ${middle.padStart(6)} ×`;
  };
  const rows = [
    ['trade-agent --version', times.version, 1.3],
    ['trade-agent --help', times.help, 1.3],
    ['trade-agent quote AAPL', times.quote],
    ['trade-agent run "who am I"', times.whoami, 4],
    ['first paint of the chat', times.chat, 5],
  ];
  const base = [fastest, median].map((pick) => `${pick(times.node).toFixed(0)} ms`).join(' and ');
  console.log(
    `Node ${process.version}; ${RUNS} interleaved runs: the fastest and the median, over bare "node -e 0" (${base})`,
  );
  for (const [name, values, aim] of rows) {
    if (values !== undefined)
      console.log(`  ${name.padEnd(32)} ${ratio(values)}${aim ? `   aim ${aim} ×` : ''}`);
  }
  console.log(
    `  tap on the phone to fill shown   ${median(taps).toFixed(0)} ms   aim 250 ms (median of ${TAPS})`,
  );
  for (const line of await benchCheck()) console.log(line);
} finally {
  const closed = ended(sandbox);
  sandbox.kill('SIGTERM');
  await closed;
  rmSync(folder, { recursive: true, force: true });
}

benchApprovals((process.env.BENCH_APPROVALS ?? '100,1000,10000').split(',').map(Number));

// How a conversation's file and the time to resume it grow with its length: real graph and store, a model that only talks.
const { measureGrowth } = await import('../test/integration/agent/history-growth.ts');
const [short, long] = await measureGrowth([10, 250]);
const share = ({ peakBytes, rawBytes }) => `${(peakBytes / rawBytes).toFixed(1)} ×`;
console.log(`  disk for 250 steps of 4 KiB      ${share(long)} their bytes at most   aim 6 ×`);
console.log(
  `  resuming 250 steps               ${(long.resumeMs / short.resumeMs).toFixed(2)} × the time of 10   aim 2 ×`,
);
