import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountCheckState, CheckStore, StoredNotice } from '../../../src/store/check-store.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { Dec } from '../../../src/trading/decimal.ts';

/** A new and empty store of checks. */
export interface OpenedCheckStore {
  readonly store: CheckStore<StoredNotice>;
  close(): Promise<void>;
}

/** What every store of checks promises. */
export function checkStoreContract(open: () => Promise<OpenedCheckStore>): void {
  let opened: OpenedCheckStore;
  let memory: AccountCheckState<StoredNotice>;
  beforeEach(async () => {
    opened = await open();
    memory = opened.store.account({ profile: 'p:alice', account: 'PA1' });
  });
  afterEach(() => opened.close());

  const firing = (rule: string) => ({ rule, subject: 'AAPL', definition: 'd', since: 1000 });
  const notice = (id: string, at = '2026-11-24T17:00:00Z') => ({ id, at, title: id });
  const markOf = (value: string, at: number) => ({
    value: new Dec(value),
    at,
    last: { value: new Dec(value), at },
    flows: new Dec('-12.34'),
  });

  describe('a store of checks', () => {
    it('remembers what stands and the mark, of each account by itself', async () => {
      expect((await memory.remembered()).fired()).toEqual([]);
      expect((await memory.remembered()).mark()).toBeUndefined();
      await memory.remember([firing('a'), firing('b')], markOf('100.50', 1000));
      await memory.remember([firing('b')], undefined);
      const remembered = await memory.remembered();
      expect(remembered.fired()).toEqual([firing('b')]);
      expect(remembered.mark()).toEqual(markOf('100.50', 1000));
      const unknown = { ...markOf('100.50', 2000), flows: undefined };
      await memory.remember([], unknown);
      expect((await memory.remembered()).mark()).toEqual(unknown);
      const bobs = opened.store.account({ profile: 'p:bob', account: 'PA1' });
      expect((await bobs.remembered()).fired()).toEqual([]);
    });

    it('remembers a rule as it is now, and the last word on it', async () => {
      const before = [firing('a'), firing('b')];
      await memory.remember(before, undefined);
      const changed = { ...firing('a'), definition: 'changed', since: 2000 };
      await memory.remember([firing('a'), { ...firing('b'), since: 3000 }, changed], undefined);
      const fired = (await memory.remembered()).fired().toSorted((a, b) => (a.rule < b.rule ? -1 : 1));
      expect(fired).toEqual([changed, { ...firing('b'), since: 3000 }]);
    });

    it('remembers what one of two checks saw that end at once, never some of each', async () => {
      const [one, two] = [[firing('a'), firing('b')], [firing('c')]];
      for (let round = 0; round < 10; round++) {
        await memory.remember([], undefined);
        await Promise.all([one, two].map((states) => memory.remember(states, undefined)));
        const rules = (await memory.remembered()).fired().map(({ rule }) => rule);
        expect(['a,b', 'c']).toContain(rules.toSorted().join());
      }
    });

    it('takes in no row twice of two files that come at once', async () => {
      const imports = opened.store.imports({ profile: 'p:alice', account: 'PA1' });
      const rows = ['a', 'b', 'c'].map((id) => ({ id, at: '2020-01-02T05:00:00Z' }) as Activity);
      const added = await Promise.all(
        ['im_1', 'im_2'].map((id) => imports.put({ id, file: `${id}.csv`, at: 1 }, rows)),
      );
      expect(added.toSorted()).toEqual([0, 3]);
      expect(await imports.files()).toHaveLength(1);
    });

    it('keeps imported activities once, by the file that had them first, and takes a file out again', async () => {
      const imports = opened.store.imports({ profile: 'p:alice', account: 'PA1' });
      const row = (id: string, at: string): Activity => ({
        ...{ id, at, kind: 'deposit', type: 'CSD', symbol: null, side: null, qty: null, price: null },
        ...{ amount: '5', imported: true },
      });
      const [one, two, three] = [
        row('a', '2020-01-02T05:00:00Z'),
        row('b', '2020-01-01T05:00:00Z'),
        row('c', '2021-01-01T05:00:00Z'),
      ];
      expect(await imports.put({ id: 'im_1', file: 'one.csv', at: 1 }, [one, two])).toBe(2);
      expect(await imports.put({ id: 'im_1', file: 'one.csv', at: 2 }, [one, two])).toBe(0);
      expect(await imports.put({ id: 'im_2', file: 'two.csv', at: 3 }, [two, three])).toBe(1);
      expect(await imports.put({ id: 'im_3', file: 'three.csv', at: 4 }, [two])).toBe(0);
      expect(await imports.activities()).toEqual([two, one, three]);
      expect(await imports.files()).toEqual([
        { id: 'im_2', file: 'two.csv', at: 3, rows: 1 },
        { id: 'im_1', file: 'one.csv', at: 1, rows: 2 },
      ]);
      expect(await opened.store.imports({ profile: 'p:bob', account: 'PA1' }).activities()).toEqual([]);
      expect(await imports.remove('im_1')).toBe(2);
      expect(await imports.remove('im_1')).toBeUndefined();
      expect(await imports.activities()).toEqual([three]);
    });

    it('is as of one moment', async () => {
      const before = await memory.remembered();
      await memory.remember([firing('a')], markOf('1', 1));
      await memory.markProposing('r', 'd', 'th_1', 1000);
      expect([before.fired(), before.mark(), before.proposed('r', 'd')]).toEqual([[], undefined, undefined]);
    });

    it('knows what was proposed, and whether anybody was asked', async () => {
      await memory.markProposing('r', 'd', 'th_1', 1000);
      expect((await memory.remembered()).proposed('r', 'd')).toEqual({ thread: 'th_1', asked: false });
      await memory.markAsked('r', 'd');
      expect((await memory.remembered()).proposed('r', 'd')).toEqual({ thread: 'th_1', asked: true });
      expect((await memory.remembered()).proposed('r', 'changed')).toBeUndefined();
    });

    it('keeps notices until they were sent, each once, oldest first', async () => {
      const { notices } = memory;
      const out = (id: string, at?: string) => ({
        channel: 'push',
        notice: notice(id, at),
        firings: [firing(id)],
        until: 9000,
      });
      await notices.put([out('two', '2026-11-24T17:00:01Z'), out('one')]);
      await notices.recordAttempt('one', 2);
      await notices.put([out('one')]);
      expect(await notices.waiting()).toEqual([
        { channel: 'push', notice: notice('one'), until: 9000, attempts: 2 },
        { channel: 'push', notice: notice('two', '2026-11-24T17:00:01Z'), until: 9000, attempts: 0 },
      ]);
      expect(await opened.store.waitingNotices()).toEqual(new Map([['push', 2]]));
      await notices.remove('one');
      expect((await notices.waiting()).map(({ notice: { id } }) => id)).toEqual(['two']);
    });

    it('puts all notices, or none', async () => {
      const { notices } = memory;
      const wrong = { channel: null as unknown as string, notice: notice('two'), firings: [], until: 9000 };
      const right = { channel: 'push', notice: notice('one'), firings: [firing('a')], until: 9000 };
      await expect(notices.put([right, wrong])).rejects.toThrow();
      expect(await notices.waiting()).toEqual([]);
      expect((await notices.unnotified())('push', [firing('a')])).toEqual([firing('a')]);
    });

    it('knows what a channel was told, for as long as it stands', async () => {
      const { notices } = memory;
      await notices.put([{ channel: 'push', notice: notice('n'), firings: [firing('a')], until: 9000 }]);
      const both = [firing('a'), firing('b')];
      expect((await notices.unnotified())('push', both)).toEqual([firing('b')]);
      expect((await notices.unnotified())('mail', both)).toEqual(both);
      await memory.remember([firing('a')], undefined);
      expect((await notices.unnotified())('push', both)).toEqual([firing('b')]);
      await memory.remember([], undefined);
      expect((await notices.unnotified())('push', both)).toEqual(both);
    });

    it('keeps closing prices and activities as they were put', async () => {
      const history = { days: Int32Array.of(1, 2), closes: Float64Array.of(1.5, 2.25) };
      expect(await opened.store.closes.get('AAPL')).toBeUndefined();
      await opened.store.closes.put('AAPL', history);
      expect(await opened.store.closes.get('AAPL')).toEqual(history);
      const other = { days: Int32Array.of(), closes: Float64Array.of() };
      await opened.store.closes.put('NONE', other);
      await opened.store.closes.put('NONE', other);
      expect(await opened.store.closes.getAll(['AAPL', 'NONE', 'MISSING'])).toEqual(
        new Map([
          ['AAPL', history],
          ['NONE', other],
        ]),
      );
      const activities = opened.store.activities({ profile: 'p:alice', account: 'PA1' });
      expect(await activities.get()).toBeUndefined();
      await activities.put([], 1000);
      await activities.put([], 2000);
      expect(await activities.get()).toEqual({ activities: [], wholeAt: 2000 });
    });
  });
}
