// From the tap on the phone to the fill in the terminal.
import { performance } from 'node:perf_hooks';
import { ended, median, output, withWorld } from './processes.mjs';

const TAPS = Number(process.env.BENCH_TAPS ?? 15);

/** Milliseconds: the run waits, the tap comes, the fill is shown. */
async function tapToFill({ cli, phone }) {
  const run = cli(['run', 'buy 1 AAPL', '--output', 'stream-json']);
  const filled = output(run, /"type":"order"/);
  const done = ended(run);
  let request;
  while (!request) {
    const requests = await phone('/phone/api/requests?user=alice&wait=5');
    request = requests.find(({ status }) => status === 'pending');
  }
  const start = performance.now();
  await phone(`/phone/api/requests/${request.id}`, { decision: 'approve' });
  await filled;
  const ms = performance.now() - start;
  await done;
  return ms;
}

export function benchTaps() {
  return withWorld(async (world) => {
    const taps = [];
    for (let i = 0; i < TAPS; i++) taps.push(await tapToFill(world));
    console.log(
      `  tap on the phone to fill shown   ${median(taps).toFixed(0)} ms   aim 250 ms (median of ${TAPS})`,
    );
  });
}
