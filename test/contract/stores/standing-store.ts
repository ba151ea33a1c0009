import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_CHECK_DELAY_MS, type StandingOrderStep } from '../../../src/store/standing-order-store.ts';
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

    /** A database that several processes share goes by its own clock. */
    const clock = Date.now();
    const claim = async (limit = 10, at = clock) => await opened.stores.standing.claimDue(limit, at);
    const dueIds = async (at = clock) => (await claim(10, at)).orders.map(({ mandate }) => mandate);
    const granted = async (mandate: string, symbol: string) => {
      const { standing, ...rest } = terms;
      if (standing === undefined) throw new Error('it has no standing order');
      const order = { ...standing.order, symbol };
      const its = { ...rest, mandate_id: mandate, symbols: [symbol], standing: { ...standing, order } };
      const approval = { issuer: 'https://issuer.example', jti: mandate };
      await opened.stores.mandates.grant(
        { id: mandate, sub: 'alice', terms: its, digest: mandateDigest(its), client: 'trade-agent', approval },
        now,
      );
    };
    const theOne = async () => {
      const { orders } = await claim();
      const [seen] = orders;
      if (seen === undefined) throw new Error('nothing is due');
      return seen;
    };

    it('is due for its first check from its grant on, with its mandate, and nobody else’s to find', async () => {
      const { standing } = opened.stores;
      const found = { sub: 'alice', mandate: id, client: 'trade-agent', symbol: 'AAPL', dueAt: due, state: 'watching' };
      expect(await standing.find('alice', id)).toEqual({ ...found, last: undefined });
      expect((await claim()).orders).toEqual([{ ...found, last: undefined, terms, mandateState: 'active' }]);
      expect(await standing.find('bob', id)).toBeUndefined();
    });

    it('is claimed by one process of two, until it is released', async () => {
      const other = opened.another().standing;
      const claims = await Promise.all([claim(), other.claimDue(10, clock)]);
      expect(claims.flatMap(({ orders }) => orders)).toHaveLength(1);
      for (const one of claims) await opened.stores.standing.release(one, () => -1, clock);
      expect((await other.claimDue(10, clock)).orders).toHaveLength(1);
    });

    it('is due again after the delay of its release, and not before', async () => {
      const { standing } = opened.stores;
      await standing.release(await claim(), () => 3_600_000, clock);
      expect(await dueIds()).toEqual([]);
      await granted('M-0000000000', 'KO');
      await standing.release(await claim(), () => -1, clock);
      expect(await dueIds()).toEqual(['M-0000000000']);
    });

    it('is handed out with the others of its symbol, the longest due first', async () => {
      for (const [n, symbol] of ['KO', 'AAPL', 'KO', 'MSFT'].entries()) await granted(`M-000000000${n}`, symbol);
      const symbols = async (limit: number) => (await claim(limit)).orders.map(({ symbol }) => symbol).toSorted();
      expect(await symbols(3)).toEqual(['AAPL', 'AAPL', 'KO']);
      expect(await symbols(3)).toEqual(['KO', 'MSFT']);
      expect(await symbols(3)).toEqual([]);
    });

    it('is not moved by the release of a claim that has ended since', async () => {
      const { standing, mandates } = opened.stores;
      const first = await claim();
      // The end of its mandate makes it due, whoever has claimed it.
      await mandates.end({ sub: 'alice', id }, 'revoked', 'phone', now);
      await standing.release(first, () => 3_600_000, clock);
      expect(await theOne()).toMatchObject({ mandate: id, mandateState: 'revoked' });
    });

    it('is due if a clock that has been set back since had its next check far ahead', async () => {
      await opened.stores.standing.release(await claim(), () => MAX_CHECK_DELAY_MS + 3_600_000, clock);
      expect(await dueIds()).toEqual([id]);
    });

    it('goes on once from where it was seen, of two that look', async () => {
      const other = opened.another().standing;
      const seen = await theOne();
      expect(await opened.stores.standing.step(seen, next, now)).toBe(true);
      expect(await other.step(seen, { ...next, event: 'standing_refused' }, now)).toBe(false);
      const { event: _, ...step } = next;
      const { terms: _terms, mandateState: _state, ...kept } = seen;
      expect(await other.find('alice', id)).toEqual({ ...kept, ...step });
    });

    it('is never due again once it is over', async () => {
      const { standing, mandates } = opened.stores;
      const claimed = await claim();
      const [seen] = claimed.orders;
      if (seen === undefined) throw new Error('nothing is due');
      await standing.step(seen, { ...next, dueAt: seen.dueAt, state: 'stopped', event: 'standing_ended' }, now);
      await standing.release(claimed, () => -1, clock);
      await mandates.end({ sub: 'alice', id }, 'revoked', 'phone', now);
      expect(await dueIds()).toEqual([]);
      expect(await standing.find('alice', id)).toMatchObject({ state: 'stopped' });
    });
  });
}
