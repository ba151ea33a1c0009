import type { RunnableConfig } from '@langchain/core/runnables';
import { type BaseCheckpointSaver, emptyCheckpoint } from '@langchain/langgraph-checkpoint';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateStores } from '../../../src/store/state-stores.ts';
import type { ThreadLease, ThreadOwner, ThreadProposal } from '../../../src/store/thread-store.ts';
import type { Proposal } from '../../../src/trading/proposal.ts';

/** A new and empty store of the agent's state. */
export interface OpenedState {
  readonly stores: StateStores;
  /** Another process's stores over the same data. */
  another(): StateStores;
  close(): Promise<void>;
}

/** What every store of the agent's state promises. */
export function stateStoresContract(open: () => Promise<OpenedState>): void {
  let opened: OpenedState;
  let stores: StateStores;
  beforeEach(async () => {
    opened = await open();
    stores = opened.stores;
  });
  afterEach(() => opened.close());

  const owner: ThreadOwner = { profile: 'test', sub: 'alice' };
  const run = { id: 't1', owner, title: 'buy 5 AAPL', holder: 'one', now: 1000, until: 31_000 } as const;
  const begun = async (more: object = {}): Promise<ThreadLease> => {
    const expected = (await stores.threads.find({ ...run, ...more }.id))?.epoch;
    const found = await stores.threads.begin({ ...run, expected, ...more });
    if (found.outcome !== 'begun') throw new Error(found.outcome);
    return found.lease;
  };
  const held = (...leases: ThreadLease[]) => Promise.all(leases.map((lease) => stores.threads.isHeld(lease)));
  const proposal = (id: string, state: string, at = '2026-11-24T15:00:00.000Z') =>
    ({ id, state, updated_at: at }) as Proposal;
  const seen = (id: string, state: string, at?: string): ThreadProposal => ({
    thread: 't1',
    prompt: 1,
    toolCallId: 'tc_1',
    attempt: 1,
    proposal: proposal(id, state, at),
  });

  describe('a store of threads', () => {
    it('makes a thread with the first run, and keeps how it stands', async () => {
      const lease = await begun({ title: 'x'.repeat(100) });
      expect(await stores.threads.find('t1')).toEqual({
        id: 't1',
        profile: 'test',
        sub: 'alice',
        title: 'x'.repeat(80),
        status: 'running',
        updatedAt: 1000,
        holder: 'one',
        epoch: lease.epoch,
        until: 31_000,
      });
      await stores.threads.end(lease, 'pending', 2000);
      expect(await stores.threads.find('t1')).toMatchObject({
        status: 'pending',
        updatedAt: 2000,
        holder: undefined,
      });
      expect(await stores.threads.find('t2')).toBeUndefined();
    });

    it('begins one of many runs that saw the same, in this process and another', async () => {
      const both = [stores.threads, opened.another().threads];
      for (const expected of [undefined, 1]) {
        const runs = await Promise.all(
          Array.from({ length: 10 }, (_, n) => both[n % 2]?.begin({ ...run, holder: `h${n}`, expected })),
        );
        expect(runs.map((one) => one?.outcome).toSorted()).toEqual(['begun', ...Array(9).fill('stale')]);
      }
    });

    it('leaves a thread as it stands for a run that says nothing in it', async () => {
      await stores.threads.end(await begun(), 'pending', 2000);
      await begun({ title: undefined, now: 3000 });
      expect(await stores.threads.find('t1')).toMatchObject({ status: 'pending', updatedAt: 2000 });
    });

    it('gives a thread begun by nobody to who says something in it first', async () => {
      await begun({ owner: { profile: 'test', sub: undefined } });
      expect((await stores.threads.list({ profile: 'test', sub: 'bob' })).map(({ id }) => id)).toEqual(['t1']);
      await begun();
      expect(await stores.threads.list({ profile: 'test', sub: 'bob' })).toEqual([]);
      expect(await stores.threads.list({ profile: 'other', sub: 'alice' })).toEqual([]);
      await begun({ id: 't2', now: 5000 });
      expect((await stores.threads.list(owner)).map(({ id }) => id)).toEqual(['t2', 't1']);
    });

    it('knows a lease that another has taken since', async () => {
      const first = await begun();
      expect(await stores.threads.isHeld(first)).toBe(true);
      const second = await begun({ holder: 'two' });
      expect(await held(first, second)).toEqual([false, true]);
      // The same holder's, taken again, is another lease.
      const third = await begun({ holder: 'two' });
      expect(await held(second, third)).toEqual([false, true]);
      await stores.threads.end(first, 'failed', 9000);
      expect(await stores.threads.find('t1')).toMatchObject({ status: 'running', holder: 'two' });
    });

    it('renews the leases that a holder still has', async () => {
      await begun();
      await begun({ id: 't2' });
      await begun({ id: 't3', holder: 'two' });
      expect((await stores.threads.renew('one', ['t1', 't3', 't9'], 50_000)).toSorted()).toEqual(['t1']);
      expect((await stores.threads.find('t1'))?.until).toBe(50_000);
      expect((await stores.threads.find('t2'))?.until).toBe(31_000);
    });

    it('notes that a thread of unknown outcome has none any more, and nothing else', async () => {
      await stores.threads.end(await begun(), 'unknown', 2000);
      await stores.threads.end(await begun({ id: 't2' }), 'done', 2000);
      for (const id of ['t1', 't2']) await stores.threads.reconciled(id);
      expect((await stores.threads.find('t1'))?.status).toBe('pending');
      expect((await stores.threads.find('t2'))?.status).toBe('done');
    });

    it('removes a thread with all that is of it', async () => {
      const lease = await begun();
      const thread = { configurable: { thread_id: 't1', checkpoint_ns: '' } };
      const metadata = { source: 'loop', step: 1, parents: {} } as const;
      const history = await stores.history({ lease, lost: () => new Error('lost') });
      await history.put(thread, emptyCheckpoint(), metadata, {});
      await stores.proposals.note(seen('pr_1', 'denied'));
      expect(await stores.threads.remove('t1', lease)).toBe('removed');
      expect(await stores.threads.find('t1')).toBeUndefined();
      expect(await stores.proposals.get('pr_1')).toBeUndefined();
      expect(await (await stores.history()).getTuple(thread)).toBeUndefined();
    });

    it('removes nothing that somebody took up since, or that has an open proposal', async () => {
      const first = await begun();
      await begun({ holder: 'two' });
      expect(await stores.threads.remove('t1', first)).toBe('stale');
      const lease = await begun();
      await stores.proposals.note(seen('pr_1', 'requested'));
      expect(await stores.threads.remove('t1', lease)).toBe('stale');
      expect(await stores.threads.find('t1')).toBeDefined();
    });
  });

  describe('a store of threads’ proposals', () => {
    it('keeps a proposal as it was last seen, and tells how it was kept before', async () => {
      await begun();
      const first = seen('pr_1', 'requested');
      expect(await stores.proposals.note(first)).toEqual({ before: undefined, kept: first });
      const later = seen('pr_1', 'executed', '2026-11-24T15:00:05.000Z');
      expect(await stores.proposals.note(later)).toEqual({ before: first.proposal, kept: later });
      const late = seen('pr_1', 'executing', '2026-11-24T16:00:00.000Z');
      expect(await stores.proposals.note(late)).toEqual({ before: later.proposal, kept: later });
      expect(await stores.proposals.get('pr_1')).toEqual(later);
      await stores.proposals.note({ ...seen('pr_2', 'requested'), prompt: 2 });
      const ids = (found: readonly ThreadProposal[]) => found.map((one) => one.proposal.id);
      expect(ids(await stores.proposals.byThread('t1'))).toEqual(['pr_1', 'pr_2']);
      expect(ids(await stores.proposals.byThread('t1', 2))).toEqual(['pr_2']);
      expect(ids(await stores.proposals.list(owner))).toEqual(['pr_1', 'pr_2']);
      expect(await stores.proposals.list({ profile: 'test', sub: 'bob' })).toEqual([]);
    });
  });

  describe('a proposal that two threads share', () => {
    it('is kept for each, and is as new in one as in the other', async () => {
      await begun();
      await begun({ id: 't2' });
      const first = seen('pr_1', 'requested');
      const second = { ...first, thread: 't2', toolCallId: 'tc_2' };
      await stores.proposals.note(first);
      expect(await stores.proposals.note(second)).toEqual({ before: undefined, kept: second });
      expect(await stores.proposals.byThread('t1')).toEqual([first]);
      expect(await stores.proposals.byThread('t2')).toEqual([second]);
      expect(await stores.proposals.list(owner)).toEqual([first, second]);
      expect(await stores.proposals.get('pr_1')).toEqual(first);
      expect(await stores.proposals.get('pr_1', 't2')).toEqual(second);
      expect(await stores.proposals.get('pr_1', 't3')).toBeUndefined();
      const later = proposal('pr_1', 'executed', '2026-11-24T15:00:05.000Z');
      expect(await stores.proposals.note({ ...second, proposal: later })).toEqual({
        before: first.proposal,
        kept: { ...second, proposal: later },
      });
      expect(await stores.proposals.byThread('t1')).toEqual([{ ...first, proposal: later }]);
    });

    it('is as it was last seen for a thread that hears late of it', async () => {
      await begun();
      await begun({ id: 't2' });
      const settled = seen('pr_1', 'executed', '2026-11-24T15:00:05.000Z');
      await stores.proposals.note(settled);
      const late = { ...seen('pr_1', 'requested'), thread: 't2' };
      const kept = { ...late, proposal: settled.proposal };
      expect(await stores.proposals.note(late)).toEqual({ before: undefined, kept });
      expect(await stores.proposals.byThread('t2')).toEqual([kept]);
    });

    it('stays with one thread when the other is removed', async () => {
      const lease = await begun();
      await begun({ id: 't2' });
      const first = seen('pr_1', 'denied');
      const second = { ...first, thread: 't2' };
      await stores.proposals.note(first);
      await stores.proposals.note(second);
      expect(await stores.threads.remove('t1', lease)).toBe('removed');
      expect(await stores.proposals.get('pr_1')).toEqual(second);
    });
  });

  describe('a store of checkpoints', () => {
    const thread = { configurable: { thread_id: 't1', checkpoint_ns: '' } };
    const metadata = { source: 'loop', step: 1, parents: {} } as const;

    it('keeps the latest of a thread', async () => {
      const lease = await begun();
      const history = await stores.history({ lease, lost: () => new Error('lost') });
      await history.put(thread, emptyCheckpoint(), metadata, {});
      const second = emptyCheckpoint();
      await history.put(thread, second, metadata, {});
      expect((await (await stores.history()).getTuple(thread))?.checkpoint.id).toBe(second.id);
    });

    it('keeps no earlier one, and nothing of the graphs that a step had below it', async () => {
      const history = await stores.history();
      const below = { configurable: { thread_id: 't1', checkpoint_ns: 'order:1' } };
      await history.put(thread, emptyCheckpoint(), metadata, {});
      const inner = await history.put(below, emptyCheckpoint(), metadata, {});
      await history.putWrites(inner, [['answer', 'kept so far']], 'task');
      expect((await history.getTuple(below))?.pendingWrites).toEqual([['task', 'answer', 'kept so far']]);
      const last = await history.put(thread, emptyCheckpoint(), metadata, {});
      expect(await history.getTuple(below)).toBeUndefined();
      expect(await listed(history, { configurable: { thread_id: 't1' } })).toEqual([last.configurable]);
    });

    it('does not drop a later one for an earlier one that comes late', async () => {
      const history = await stores.history();
      const [early, late] = [emptyCheckpoint(), emptyCheckpoint()];
      await history.put(thread, late, metadata, {});
      await history.put(thread, early, metadata, {});
      expect((await history.getTuple(thread))?.checkpoint.id).toBe(late.id);
    });

    it('keeps each thread’s apart, and forgets one', async () => {
      const history = await stores.history();
      const other = { configurable: { thread_id: 't2', checkpoint_ns: '' } };
      const [first, second] = [emptyCheckpoint(), emptyCheckpoint()];
      await history.put(thread, first, metadata, {});
      await history.put(other, second, metadata, {});
      expect((await history.getTuple(thread))?.checkpoint.id).toBe(first.id);
      await history.deleteThread('t1');
      expect(await history.getTuple(thread)).toBeUndefined();
      expect((await history.getTuple(other))?.checkpoint.id).toBe(second.id);
    });

    it('gives messages back in their order, however often one is said', async () => {
      const said = ['buy', 'sell', 'buy'].map((text) => ({ text, sign: '\u0000 ü 🙂' }));
      const history = await stores.history();
      const checkpoint = { ...emptyCheckpoint(), channel_values: { messages: said.slice(0, 2), other: 1 } };
      await history.put(thread, checkpoint, metadata, {});
      const next = { ...emptyCheckpoint(), channel_values: { messages: said, other: 2 } };
      await history.put(thread, next, metadata, {});
      const read = await (await opened.another().history()).getTuple(thread);
      expect(read?.checkpoint.channel_values).toEqual({ messages: said, other: 2 });
      expect(read?.metadata).toEqual(metadata);
    });

    it('keeps what is no list of messages as it is', async () => {
      const history = await stores.history();
      for (const messages of [['text'], 'text', null, 7, [], [null]]) {
        await history.put(thread, { ...emptyCheckpoint(), channel_values: { messages } }, metadata, {});
        expect((await history.getTuple(thread))?.checkpoint.channel_values).toEqual({ messages });
      }
    });

    it('reads back what a task came to, which is not said again, as an error is', async () => {
      const history = await stores.history();
      const at = await history.put(thread, emptyCheckpoint(), metadata, {});
      const writes: [string, unknown][] = [
        ['first', { a: 1 }],
        ['second', 'two'],
      ];
      await history.putWrites(at, writes, 'task');
      await history.putWrites(at, [['first', 'other']], 'task');
      for (const message of ['first try', 'second try'])
        await history.putWrites(at, [['__error__', { message }]], 'failing');
      const { pendingWrites = [] } = (await history.getTuple(at)) ?? {};
      expect(pendingWrites.toSorted()).toEqual([
        ['failing', '__error__', { message: 'second try' }],
        ['task', 'first', { a: 1 }],
        ['task', 'second', 'two'],
      ]);
    });

    it('takes nothing from a run that lost its thread', async () => {
      const lease = await begun();
      const history = await stores.history({ lease, lost: () => new Error('lost') });
      const at = await history.put(thread, emptyCheckpoint(), metadata, {});
      await opened.another().threads.begin({ ...run, holder: 'two', expected: lease.epoch });
      await expect(history.put(thread, emptyCheckpoint(), metadata, {})).rejects.toThrow('lost');
      await expect(history.putWrites(at, [['messages', 'late']], 'task')).rejects.toThrow('lost');
      const tuple = await (await stores.history()).getTuple(thread);
      expect(tuple?.config).toEqual(at);
      expect(tuple?.pendingWrites).toEqual([]);
    });
  });
}

async function listed(history: BaseCheckpointSaver, config: RunnableConfig) {
  const found: unknown[] = [];
  for await (const { config: at } of history.list(config)) found.push(at.configurable);
  return found;
}
