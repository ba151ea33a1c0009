import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createThreadProposals } from '../../../../src/agent/graph/thread-proposals.ts';
import { createThreadStore } from '../../../../src/agent/run/thread-store.ts';
import { openStateDatabase } from '../../../../src/store/sqlite/state-database.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { orderProposal } from '../proposal-fixture.ts';

function openStore() {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-proposals-'));
  const database = openStateDatabase(join(folder, 'state.db'), randomBytes(32));
  onTestFinished(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });
  const threads = createThreadStore(database, new VirtualClock());
  threads.open('t', { profile: 'test', sub: 'alice' }, 'buy');
  threads.open('other', { profile: 'test', sub: 'bob' }, 'buy');
  return createThreadProposals(database);
}

const key = { thread: 't', prompt: 1, toolCallId: 'tc_1', attempt: 1 };

describe('what a thread knows of its proposals', () => {
  it('is kept as it was last seen', () => {
    const store = openStore();
    store.note({ ...key, proposal: orderProposal('requested', { id: 'pr_1' }) });
    const proposal = orderProposal('executed', { id: 'pr_1', updated_at: '2026-11-24T15:00:05.000Z' });
    store.note({ ...key, proposal });
    expect(store.get('pr_1')).toEqual({ ...key, proposal });
    expect(store.ofThread('t', 1)).toHaveLength(1);
    expect(store.ofThread('t', 2)).toEqual([]);
  });

  it.each([
    ['an earlier moment', 'requested', { updated_at: '2026-11-24T14:00:00.000Z' }],
    ['a time before its end', 'executing', { updated_at: '2026-11-24T16:00:00.000Z' }],
  ] as const)('is not put back by an answer about %s', (_, state, change) => {
    const store = openStore();
    const settled = orderProposal('denied', { id: 'pr_1' });
    store.note({ ...key, proposal: settled });
    const kept = store.note({ ...key, proposal: orderProposal(state, { id: 'pr_1', ...change }) });
    expect(kept.proposal).toEqual(settled);
    expect(store.get('pr_1')?.proposal).toEqual(settled);
  });

  it('is its user’s', () => {
    const store = openStore();
    store.note({ ...key, proposal: orderProposal('requested', { id: 'pr_1' }) });
    store.note({ ...key, thread: 'other', proposal: orderProposal('requested', { id: 'pr_2' }) });
    const idsOf = (sub: string | undefined) =>
      store.list({ profile: 'test', sub }).map(({ proposal }) => proposal.id);
    expect(idsOf('alice')).toEqual(['pr_1']);
    expect(idsOf('bob')).toEqual(['pr_2']);
    expect(idsOf(undefined)).toEqual(['pr_1', 'pr_2']);
    expect(store.list({ profile: 'another', sub: 'alice' })).toEqual([]);
  });
});
