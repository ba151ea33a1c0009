// One measurement of a home on SQLite, for scripts/bench/home.mjs: node test/load/measure-home.ts LAUNCHER IDLE_MS
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDocument } from 'yaml';
import { createHomeWorld } from '../e2e/home-world.ts';

const [launcher = '', idleMs = '20000'] = process.argv.slice(2);
const world = await createHomeWorld(undefined, { launcher, env: {} });

const readyFile = join(world.folder, 'ready.json');
const serve = async () => {
  const from = performance.now();
  const stop = await world.serve(world.home, '--ready-file', readyFile);
  return { stop, ms: performance.now() - from };
};
/** Clock ticks of 10 ms that a process has used, and its resident memory in KiB. */
const usage = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const [, resident] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { ms: (Number(fields[11]) + Number(fields[12])) * 10, kib: Number(resident) };
};

await world.init();
const limitsFile = join(world.home, 'limits.yaml');
const limits = parseDocument(readFileSync(limitsFile, 'utf8'));
limits.deleteIn(['accounts', '*', 'max_orders_per_minute']);
writeFileSync(limitsFile, String(limits), { mode: 0o600 });
const starts: number[] = [];
// The first start compiles the program.
for (let n = 0; n < 6; n++) {
  const { stop, ms } = await serve();
  if (n > 0) starts.push(ms);
  await stop();
}
const { stop } = await serve();
const { pid } = JSON.parse(readFileSync(readyFile, 'utf8')) as { pid: number };
const phone = await world.pair();
await world.cli('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
await world.login(phone);
// A home's default limits refuse an order like the last one, so each is for another symbol.
const symbols = ['KO', 'AAPL', 'INTC', 'PFE', 'AMD', 'WMT', 'DIS', 'NKE', 'XOM', 'CSCO', 'T', 'F'];
const filled: number[] = [];
for (const [n, symbol] of symbols.entries()) {
  await world.propose(`buy 1 ${symbol}`);
  const from = performance.now();
  await world.approve(phone);
  while (world.sandbox.broker.book().filter(({ status }) => status === 'filled').length <= n) await sleep(1);
  if (n > 0) filled.push(performance.now() - from);
}
await sleep(5_000);
const before = usage(pid);
await sleep(Number(idleMs));
const after = usage(pid);
await stop();
await world.close();
const idle = (after.ms - before.ms) / Number(idleMs);
process.stdout.write(`${JSON.stringify({ starts, filled, idle, memory: after.kib })}\n`);
process.exit(0);
