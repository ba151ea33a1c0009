// Measures a home on SQLite: start to ready, tap to fill, idle processor time and memory. HOME_BEFORE names another
// built checkout; the two then take turns, and each figure is a ratio to that checkout's.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { launcher, median } from './processes.mjs';

const measure = join(import.meta.dirname, '..', '..', 'test', 'load', 'measure-home.ts');
const { BENCH_IDLE_MS: idleMs = '20000', BENCH_PAIRS: pairs = '3' } = process.env;
const { HOME_BEFORE: before } = process.env;

function measureOnce(program) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', measure, program, idleMs], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  const { starts, filled, idle, memory } = JSON.parse(stdout);
  return { start: median(starts), fill: median(filled), idle, memory };
}

const shown = ({ start, fill, idle, memory }) =>
  `ready after ${start.toFixed(0)} ms, tap to fill ${fill.toFixed(1)} ms, idle ${(idle * 100).toFixed(2)} % of a core, ${(memory / 1024).toFixed(0)} MiB`;

export function benchHome() {
  console.log('A home on SQLite, medians');
  const ratios = [];
  for (let pair = 0; pair < (before === undefined ? 1 : Number(pairs)); pair++) {
    const old = before === undefined ? undefined : measureOnce(join(before, 'bin', 'trade-agent.js'));
    const now = measureOnce(launcher);
    console.log(`  ${shown(now)}`);
    if (old === undefined) continue;
    console.log(`  before: ${shown(old)}`);
    ratios.push(Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value / old[name]])));
  }
  if (ratios.length === 0) return;
  const mean = (name) => ratios.reduce((sum, ratio) => sum + ratio[name], 0) / ratios.length;
  const means = ['start', 'fill', 'idle', 'memory'].map((name) => `${name} ${mean(name).toFixed(2)}`);
  console.log(`  of before, means of ${ratios.length} pairs: ${means.join(', ')}`);
}
