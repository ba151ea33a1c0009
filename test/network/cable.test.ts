import { expect, it } from 'vitest';
import { CABLE_SECONDS } from './constants.ts';
import { missing } from './needs.ts';
import { played } from './played.ts';
import { faults, report } from './verdict.ts';

/* The cable is pulled with the order in the kernel's send queue: it may arrive long after whoever wrote it is gone. */

const ways = (['tap', 'mandate'] as const).flatMap((by) => CABLE_SECONDS.map((seconds) => [by, seconds] as const));

it.skipIf(missing({ postgres: false })).concurrent.each(ways)(
  'approved by %s, the gateway killed with the order in the send queue, and the cable back after %i s: one order or none, and told so',
  async (by, seconds) => {
    const facts = await played('cable', { by, seconds, kill: true });
    process.stdout.write(`\n${report(`A killed, by ${by}, cable out for ${seconds} s`, facts)}\n`);
    expect(faults(facts)).toEqual([]);
  },
);

it.skipIf(missing({ postgres: false })).concurrent.each(['tap', 'mandate'] as const)(
  'approved by %s, a request that timed out without a cable does not arrive when the cable is back',
  async (by) => {
    const facts = await played('cable', { by, seconds: 30, kill: false });
    process.stdout.write(`\n${report(`A timed out, by ${by}, cable out for 30 s`, facts)}\n`);
    expect(facts.late).toEqual([]);
    expect(faults(facts)).toEqual([]);
  },
);
