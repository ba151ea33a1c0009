// Measures startup and first paint, relative to bare Node.
import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { chatInTerminal, ended, fastest, hasScript, launcher, median, output, withWorld } from './processes.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 15);

/** Returns the duration of a process in milliseconds. */
async function time(env, args) {
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

/** Returns the time in milliseconds until the chat shows its prompt. */
async function firstPaint(env) {
  const start = performance.now();
  const chat = chatInTerminal(env);
  await output(chat.child, /[❯>] /);
  const ms = performance.now() - start;
  await chat.leave();
  return ms;
}

/** Interleaves several measurements, so that a slow moment of the machine affects all of them. */
async function compare(measurements) {
  const times = Object.fromEntries(Object.keys(measurements).map((name) => [name, []]));
  // The first two starts store their compiled code.
  for (let i = -2; i < RUNS; i++) {
    for (const [name, measure] of Object.entries(measurements)) {
      const ms = await measure();
      if (i >= 0) times[name].push(ms);
    }
  }
  return times;
}

export function benchStartUp() {
  return withWorld(async ({ env }) => {
    const times = await compare({
      node: () => time(env, ['-e', '0']),
      version: () => time(env, [launcher, '--version']),
      help: () => time(env, [launcher, '--help']),
      quote: () => time(env, [launcher, 'quote', 'AAPL']),
      whoami: () => time(env, [launcher, 'run', 'who am I']),
      ...(hasScript ? { chat: () => firstPaint(env) } : {}),
    });
    // On a busy machine, the fastest run says more than the median.
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
      if (values === undefined) continue;
      console.log(`  ${name.padEnd(32)} ${ratio(values)}${aim ? `   aim ${aim} ×` : ''}`);
    }
  });
}
