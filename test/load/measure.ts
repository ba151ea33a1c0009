// One measurement, for scripts/bench/proposals.mjs: node test/load/measure.ts COUNT TAPS
import { manyProposals } from './many-proposals.ts';

const [count = 1, taps = 31] = process.argv.slice(2).map(Number);
const idleMs = Number(process.env.BENCH_IDLE_MS ?? 30_000);
const load = await manyProposals({ count, taps, warmUp: 40, idleMs, settleAll: false });
process.stdout.write(`${JSON.stringify(load)}\n`);
process.exit(0);
