import { expect, it } from 'vitest';
import { histories } from './chaos.ts';
import { batchCutOff, mandated, shared } from './mandate-steps.ts';

const { tally, runs, part, isReplay, holds } = histories('mandated.test.ts', 12, 20_261_128);

it('under mandates and in batches each order is one, within what was signed', async () => {
  await holds(mandated, runs, 'within what was signed');
  if (!isReplay) expect(tally.underMandate).toBeGreaterThan(0);
}, 3_600_000);

it('two gateway processes place one order a slot between them', async () => {
  await holds(shared, runs, 'two gateway processes');
  if (!isReplay) expect(tally.underMandate).toBeGreaterThan(0);
}, 3_600_000);

it('a batch whose gateway dies between its lines, twice, has each line once', async () => {
  await holds(batchCutOff, part(2), 'dies between its lines');
  if (!isReplay) expect(tally.batches).toBeGreaterThan(0);
}, 3_600_000);
