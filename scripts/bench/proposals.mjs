// Measures open proposals in one gateway: the cost of each, the cost of waiting, and the time from approval to fill. Each
// count runs in separate processes for the gateway and its environment.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fastest, median } from './processes.mjs';

const measure = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'test', 'load', 'measure.ts');
const TAPS = process.env.BENCH_TAPS ?? '31';

const steps = {
  called: 'provider: keeps the decision, calls back',
  polled: 'kernel: finds the proposal, signs its poll',
  redeemed: 'provider: gives the token',
  intended: 'kernel: seals, verifies, commits, records',
  read: 'broker: account, clock, price, at once',
  claimed: 'desk: rules, claim',
  filled: 'broker: takes and fills it',
  told: 'desk, kernel: commits, tells who waits',
};

const shown = (values) => `${median(values).toFixed(1)} (${fastest(values).toFixed(1)})`;

export function benchProposals(counts) {
  console.log('Open proposals of one person in one gateway; tap to fill: median (fastest), all others open');
  console.log('    open   propose/each   heap/each   waiting costs   tap to fill, ms   processor/tap, ms');
  const medians = [];
  let last;
  for (const count of counts) {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', measure, String(count), TAPS], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    if (status !== 0) throw new Error(`${count} proposals: ${stderr}`);
    const load = JSON.parse(stdout);
    if (load.orders !== load.distinctOrders) throw new Error(`${count} proposals: an order was doubled`);
    last = load;
    medians.push(median(load.tapToFill));
    const many = count > 1;
    const columns = [
      String(count).padStart(8),
      (many ? `${load.proposeMs.toFixed(1)} ms` : '').padStart(14),
      (many ? `${(load.heapEach / 1024).toFixed(1)} KiB` : '').padStart(11),
      `${(load.idleLoad * 100).toFixed(1)} % CPU`.padStart(15),
      shown(load.tapToFill).padStart(17),
      shown(load.processor).padStart(19),
    ];
    console.log(columns.join(' '));
  }
  console.log(`  aims: waiting at most 5 %, one open at most 50 ms, level within 1.2 ×`);
  if (medians.length > 1) {
    console.log(`  level: ${(Math.max(...medians) / medians[0]).toFixed(2)} × from ${counts[0]} open`);
  }
  console.log(`Of a tap with ${last.count} open, ms`);
  for (const [step, what] of Object.entries(steps)) {
    const values = last.steps.map((one) => one[step]);
    console.log(`  ${what.padEnd(46)} ${shown(values)}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const counts = process.argv.slice(2).map(Number);
  benchProposals(counts.length > 0 ? counts : [1, 1_000, 10_000]);
}
