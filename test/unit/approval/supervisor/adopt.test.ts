import { expect, it } from 'vitest';
import { KernelContext } from '../../../../src/approval/kernel-context.ts';
import type { KernelDeps } from '../../../../src/approval/kernel-deps.ts';
import { NotificationTokens } from '../../../../src/approval/notification-tokens.ts';
import { ProposalSupervisor } from '../../../../src/approval/supervisor/supervisor.ts';
import { VirtualClock } from '../../../virtual-clock.ts';

/** A supervisor of proposals that are no longer there: a run begins with a look at the row, and ends at once. */
function supervision() {
  const clock = new VirtualClock();
  const begun = new Map<string, number>();
  const from = clock.now();
  const look = async (id: string) => {
    if (!begun.has(id)) begun.set(id, clock.now() - from);
    return undefined;
  };
  const tokens = new NotificationTokens('of the test');
  const closing = new AbortController();
  const parts: Partial<KernelDeps> = {
    clock,
    store: { get: look, byAuthReqId: async (id: string) => ({ id, asked: 1, state: 'requested' }) } as never,
    notificationTokens: tokens,
  };
  const supervisor = new ProposalSupervisor(new KernelContext(parts as KernelDeps, closing.signal));
  return { clock, closing, supervisor, tokens, begun, ids: () => [...begun.keys()] };
}

it('begins what was taken over one after the other, in the order of taking', async () => {
  const { clock, supervisor, begun, ids } = supervision();
  supervisor.adopt(['in-hand', 'a', 'b']);
  supervisor.adopt(['c', 'a']);
  await clock.run(clock.sleep(100));
  expect(ids()).toEqual(['in-hand', 'a', 'b', 'c']);
  expect(new Set(begun.values()).size).toBe(4);
  // Later ones too.
  supervisor.adopt(['d']);
  await clock.run(clock.sleep(10));
  expect(ids()).toContain('d');
});

it('begins one that the provider calls about out of its turn', async () => {
  const { clock, supervisor, tokens, ids } = supervision();
  supervisor.adopt(['a', 'b', 'c']);
  expect(await supervisor.handlePing('c', tokens.of({ id: 'c', asked: 1 }))).toBe(true);
  await clock.run(clock.sleep(100));
  expect(ids()).toEqual(['a', 'c', 'b']);
});

it('begins nothing more once the gateway closes', async () => {
  const { clock, closing, supervisor, ids } = supervision();
  supervisor.adopt(['a', 'b']);
  closing.abort();
  await clock.run(clock.sleep(100));
  expect(ids()).toEqual(['a']);
});
