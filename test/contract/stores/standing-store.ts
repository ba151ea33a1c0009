import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StandingOrderStep } from '../../../src/store/standing-order-store.ts';
import { nextDueTime } from '../../../src/trading/mandate/due-times.ts';
import { mandateDigest, mandateEnvelopeSchema } from '../../../src/trading/mandate/envelope.ts';
import { mandateTerms } from '../../integration/sandbox/proposal-fixture.ts';
import type { OpenedStores, OpenStores } from './gateway-factory.ts';

const when = { every: 'monday', at: '10:00' } as const;
const terms = mandateEnvelopeSchema.parse({
  ...mandateTerms(),
  standing: {
    order: { symbol: 'AAPL', side: 'buy', notional: '200', type: 'market', time_in_force: 'day' },
    when,
  },
});
const id = terms.mandate_id;
const now = Date.parse(terms.not_before);
const due = nextDueTime(when, now);

/** What every store of standing orders promises. */
export function standingStoreContract(open: OpenStores): void {
  let opened: OpenedStores;
  beforeEach(async () => {
    opened = await open();
    const mandate = {
      ...{ id, sub: 'alice', terms, digest: mandateDigest(terms), client: 'trade-agent' },
      approval: { issuer: 'https://issuer.example', jti: 'jti' },
    };
    expect(await opened.stores.mandates.grant(mandate, now)).toBe('granted');
  });
  afterEach(() => opened.close());

  describe('a standing order', () => {
    const next: StandingOrderStep = {
      dueAt: nextDueTime(when, due),
      state: 'watching',
      last: { outcome: 'ordered', at: '2026-11-30T15:00:00Z', proposal: 'p-1' },
      event: 'standing_ordered',
    };

    it('is watched from its grant on, for its first time, and nobody else’s to find', async () => {
      const { standing } = opened.stores;
      const found = { sub: 'alice', mandate: id, client: 'trade-agent', dueAt: due, state: 'watching' };
      expect(await standing.watched()).toEqual([{ ...found, last: undefined }]);
      expect(await standing.find('bob', id)).toBeUndefined();
    });

    it('goes on once from where it was seen, of two that look', async () => {
      const other = opened.another().standing;
      const [seen] = await opened.stores.standing.watched();
      if (seen === undefined) throw new Error('nothing is watched');
      expect(await opened.stores.standing.step(seen, next, now)).toBe(true);
      expect(await other.step(seen, { ...next, event: 'standing_refused' }, now)).toBe(false);
      const { event: _, ...step } = next;
      expect(await other.find('alice', id)).toEqual({ ...seen, ...step });
    });

    it('is watched no more once it is over', async () => {
      const { standing } = opened.stores;
      const [seen] = await standing.watched();
      if (seen === undefined) throw new Error('nothing is watched');
      await standing.step(seen, { ...next, dueAt: seen.dueAt, state: 'stopped', event: 'standing_ended' }, now);
      expect(await standing.watched()).toEqual([]);
      expect(await standing.find('alice', id)).toMatchObject({ state: 'stopped' });
    });
  });
}
