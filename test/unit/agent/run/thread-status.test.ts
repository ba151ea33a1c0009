import { describe, expect, it } from 'vitest';
import { resolveThreadStatus } from '../../../../src/agent/run/thread-status.ts';
import type { ThreadProposal } from '../../../../src/store/thread-store.ts';
import type { ProposalState } from '../../../../src/trading/proposal.ts';

const ended = Date.parse('2026-01-30T14:30:00Z');
const pending = { status: 'pending', updatedAt: ended } as const;

const laterPrompt = async () => 2;

function proposal(state: ProposalState, after: number): ThreadProposal {
  return {
    thread: 'th_1',
    prompt: 1,
    proposal: { state, updated_at: new Date(ended + after * 1000).toISOString() },
  } as ThreadProposal;
}

describe('what a thread is that left its question to the gateway', () => {
  it.each([
    ['executed', 'done'],
    ['denied', 'denied'],
    ['cancelled', 'denied'],
    ['expired', 'expired'],
    ['blocked', 'blocked'],
    ['unknown', 'unknown'],
    ['requested', 'pending'],
  ] as const)('is by %s then %s', async (state, status) => {
    expect(await resolveThreadStatus(pending, async () => [proposal(state, 20)], laterPrompt)).toBe(status);
  });

  it('stays pending while one of several is open, also one that nothing happened to', async () => {
    expect(
      await resolveThreadStatus(
        pending,
        async () => [proposal('executed', 20), proposal('requested', -5)],
        laterPrompt,
      ),
    ).toBe('pending');
  });

  it('is not told by what an earlier run came to', async () => {
    expect(await resolveThreadStatus(pending, async () => [proposal('executed', -60)], laterPrompt)).toBe('pending');
  });

  it('stays as it ended where it waited for nothing', async () => {
    expect(
      await resolveThreadStatus({ ...pending, status: 'failed' }, async () => [proposal('executed', 20)], laterPrompt),
    ).toBe('failed');
  });

  it('is told by what its own run came to before it was cut off', async () => {
    expect(
      await resolveThreadStatus(
        pending,
        async () => [proposal('expired', -60)],
        async () => 1,
      ),
    ).toBe('expired');
  });
});
