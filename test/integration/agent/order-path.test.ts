import { Session } from 'node:inspector/promises';
import { expect, it } from 'vitest';
import { sandboxWorld } from './sandbox-world.ts';
import { options, play } from './world.ts';

/** Files of approval and gateway of which a function runs from a sentence to the order's fill: what a reader has to follow. */
const MOST_FILES = 69;

const world = sandboxWorld();

it(`an order passes through at most ${MOST_FILES} files of approval and gateway`, async () => {
  const agent = await world.agent();
  const inspector = new Session();
  inspector.connect();
  await inspector.post('Profiler.enable');
  await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  // Counts begin at zero after each reading.
  await inspector.post('Profiler.takePreciseCoverage');
  const [{ result }] = await Promise.all([play(agent.run({ prompt: 'buy 5 AAPL' }, options())), world.tap('approve')]);
  const { result: scripts } = await inspector.post('Profiler.takePreciseCoverage');
  inspector.disconnect();
  expect(result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL', status: 'filled' }] });
  const files = scripts
    .filter(({ functions }) =>
      functions.some(({ functionName, ranges: [whole] }) => functionName !== '' && whole && whole.count > 0),
    )
    .flatMap(({ url }) => /\/src\/((?:approval|gateway)\/.*)$/.exec(url)?.[1] ?? []);
  console.log(`files on an order's path: ${files.length}`);
  expect(files.length).toBeGreaterThan(30);
  expect(files.length).toBeLessThanOrEqual(MOST_FILES);
});
