import { describe, expect, it } from 'vitest';
import { acquireThread } from '../../../../src/agent/run/threads.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { orderProposal } from '../proposal-fixture.ts';
import { openStores } from '../state-fixture.ts';

async function openStore() {
  const clock = new VirtualClock();
  const { threads, proposals } = await openStores(clock);
  for (const [thread, sub] of [
    ['t', 'alice'],
    ['other', 'bob'],
  ] as const) {
    const owner = { profile: 'test', sub };
    await acquireThread(threads, { title: 'buy', thread }, { owner, holder: 'h', clock });
  }
  return proposals;
}

const key = { thread: 't', prompt: 1, toolCallId: 'tc_1', attempt: 1 };

describe('what a thread knows of its proposals', () => {
  it('is kept as it was last seen', async () => {
    const store = await openStore();
    await store.note({ ...key, proposal: orderProposal('requested', { id: 'pr_1' }) });
    const proposal = orderProposal('executed', { id: 'pr_1', updated_at: '2026-11-24T15:00:05.000Z' });
    await store.note({ ...key, proposal });
    expect(await store.get('pr_1')).toEqual({ ...key, proposal });
    expect(await store.byThread('t', 1)).toHaveLength(1);
    expect(await store.byThread('t', 2)).toEqual([]);
  });

  it.each([
    ['an earlier moment', 'requested', { updated_at: '2026-11-24T14:00:00.000Z' }],
    ['a time before its end', 'executing', { updated_at: '2026-11-24T16:00:00.000Z' }],
  ] as const)('is not put back by an answer about %s', async (_, state, change) => {
    const store = await openStore();
    const settled = orderProposal('denied', { id: 'pr_1' });
    await store.note({ ...key, proposal: settled });
    const { kept } = await store.note({ ...key, proposal: orderProposal(state, { id: 'pr_1', ...change }) });
    expect(kept.proposal).toEqual(settled);
    expect((await store.get('pr_1'))?.proposal).toEqual(settled);
  });

  it('is its user’s', async () => {
    const store = await openStore();
    await store.note({ ...key, proposal: orderProposal('requested', { id: 'pr_1' }) });
    await store.note({ ...key, thread: 'other', proposal: orderProposal('requested', { id: 'pr_2' }) });
    const idsOf = async (sub: string | undefined) =>
      (await store.list({ profile: 'test', sub })).map(({ proposal }) => proposal.id);
    expect(await idsOf('alice')).toEqual(['pr_1']);
    expect(await idsOf('bob')).toEqual(['pr_2']);
    expect(await idsOf(undefined)).toEqual(['pr_1', 'pr_2']);
    expect(await store.list({ profile: 'another', sub: 'alice' })).toEqual([]);
  });
});
