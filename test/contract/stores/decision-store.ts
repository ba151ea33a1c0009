import { describe, expect, it } from 'vitest';
import type { DecisionStore, NewPolicyDecision } from '../../../src/store/decision-store.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

const note = (subjectId: string, more: Partial<NewPolicyDecision> = {}): NewPolicyDecision => ({
  ...{
    sub: 'alice',
    client: 'client',
    account: 'PA3ALICE01',
    action: 'place',
    stage: 'proposal',
    effect: 'deny',
  },
  subjectId,
  reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER', 'SYMBOL_DENIED'],
  texts: ['it is too much', 'not this one'],
  limit: '1000.00',
  value: '1000.01',
  policy: 'digest of the rules',
  facts: { order: { symbol: 'AAPL', qty: '5', notional: null }, counted: { day_orders: 1 } },
  ...more,
});

/** What every store of decisions promises. */
export function decisionStoreContract(open: OpenStores): void {
  const opened = openForEach(open);
  const decisions = opened.the('decisions');

  describe('a store of decisions', () => {
    it('tells each as it was noted, the newest first, in every process', async () => {
      await decisions.note(note('one'), 1000);
      const another = note('two', { effect: 'allow', reasons: [], texts: [], limit: undefined, value: null });
      await decisions.note(another, 900);
      const found = await opened.another().decisions.list('alice', { limit: 10 });
      expect(found).toEqual([
        { ...another, id: expect.any(Number), at: 900 },
        { ...note('one'), id: expect.any(Number), at: 1000 },
      ]);
      expect(found[0]?.id).toBeGreaterThan(found[1]?.id ?? Number.POSITIVE_INFINITY);
    });

    it('tells what was decided about one thing of a person, the newest first', async () => {
      await decisions.note(note('one'), 1000);
      await decisions.note(note('two'), 1001);
      await decisions.note(note('one', { stage: 'order', effect: 'allow' }), 1002);
      await decisions.note(note('one', { sub: 'bob' }), 1003);
      const found = await decisions.about('alice', 'one');
      expect(found.map(({ at, effect }) => [at, effect])).toEqual([
        [1002, 'allow'],
        [1000, 'deny'],
      ]);
      expect(await decisions.about('alice', 'three')).toEqual([]);
    });

    it('tells a person their own, of one effect, and no more than asked for', async () => {
      for (const id of ['1', '2', '3']) await decisions.note(note(id), 1000);
      await decisions.note(note('4', { effect: 'allow' }), 1000);
      await decisions.note(note('5', { sub: 'bob' }), 1000);
      const ids = async (query: Parameters<DecisionStore['list']>[1]) =>
        (await decisions.list('alice', query)).map(({ subjectId }) => subjectId);
      expect(await ids({ limit: 2 })).toEqual(['4', '3']);
      expect(await ids({ limit: 10, effect: 'deny' })).toEqual(['3', '2', '1']);
      expect(await ids({ limit: 10, effect: 'allow' })).toEqual(['4']);
    });
  });
}
