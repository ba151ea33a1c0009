import { expect, it } from 'vitest';
import { MINUTES } from './constants.ts';
import { missing } from './needs.ts';
import { played } from './played.ts';
import { faults, report } from './verdict.ts';

/* A proxy swallows the order, and delivers it after it was written off. */

it.skipIf(missing({ postgres: false })).concurrent.each(['tap', 'mandate'] as const)(
  `approved by %s, an order delivered after ${MINUTES} minutes is adopted, and told`,
  async (by) => {
    const facts = await played('swallowed', { by });
    process.stdout.write(`\n${report(`C delivered late, by ${by}`, facts)}\n`);
    expect(facts.orders[0]).toMatchObject({ state: 'executed', booked: 1 });
    expect(faults(facts)).toEqual([]);
  },
);
