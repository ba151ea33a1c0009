// Prints the figures of docs/BENCHMARKS.md, as ratios measured in this one run. Needs a build.
//   npm run bench
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

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

/** Medians of several commands, interleaved, so that a slow moment of the machine hits all alike. */
async function compare(commands) {
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (const args of Object.values(commands)) await time(args);
  for (let i = 0; i < RUNS; i++) {
    for (const [name, args] of Object.entries(commands)) times[name].push(await time(args));
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
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
    child.stderr.on('data', onData);
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
    node: ['-e', '0'],
    version: [launcher, '--version'],
    help: [launcher, '--help'],
    whoami: [launcher, 'run', 'who am I'],
  });
  const taps = [];
  for (let i = 0; i < TAPS; i++) taps.push(await tapToFill(ready));

  const ratio = (ms) => `${(ms / times.node).toFixed(2)} ×`;
  console.log(
    `Node ${process.version}, medians of ${RUNS} interleaved runs; bare "node -e 0" took ${times.node.toFixed(0)} ms`,
  );
  console.log(`  trade-agent --version            ${ratio(times.version)}   aim 1.5 ×`);
  console.log(`  trade-agent --help               ${ratio(times.help)}`);
  console.log(`  trade-agent run "who am I"       ${ratio(times.whoami)}   aim 8 ×`);
  console.log(
    `  tap on the phone to fill shown   ${median(taps).toFixed(0)} ms   aim 250 ms (median of ${TAPS})`,
  );
} finally {
  const closed = ended(sandbox);
  sandbox.kill('SIGTERM');
  await closed;
  rmSync(folder, { recursive: true, force: true });
}
