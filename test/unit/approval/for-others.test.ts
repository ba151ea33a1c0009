import { describe, expect, it } from 'vitest';
import type { ProposalCaller } from '../../../src/approval/kernel/propose.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { alice, type KernelWorld, kernelWorld, type WorldOptions } from './kernel-world.ts';

const bob: ProposalCaller = {
  sub: 'bob',
  username: 'bob.brown',
  clientId: 'trade-agent',
  accessToken: 'BOBS-TOKEN',
};

/** Bob is alice's advisor, for as long as it is so. */
function worldWithAdvisor(options: WorldOptions = {}): KernelWorld & { engaged: boolean } {
  const world = Object.assign(kernelWorld(options), { engaged: true });
  world.access.require = async (who, question, account) => {
    if (who === account) return;
    if (world.engaged && who === 'bob' && account === 'alice' && question !== 'can_approve') return;
    throw new HttpProblem(403, 'policy_denied', 'he may not', { members: { reason: 'RELATION_DENIED' } });
  };
  return world;
}
const forAlice = { by: bob, owner: 'alice' } as const;

describe('what somebody proposes for the owner of an account', () => {
  it('rings the owner’s phone, not theirs, and is the owner’s to approve', async () => {
    const world = worldWithAdvisor({ answers: ['approved'] });
    const { id } = await world.propose('5', forAlice);
    const done = await world.until(id, 'executed');
    expect(world.questions.map(({ asked }) => asked)).toEqual([{ sub: 'alice' }]);
    expect(world.polls[0]?.expected.sub).toBe('alice');
    expect(done).toMatchObject({ sub: 'alice', proposedBy: 'bob' });
    expect(world.book).toHaveLength(1);
  });

  it('tells its owner whose idea it is, in what they sign', async () => {
    const world = worldWithAdvisor();
    const mine = await world.propose('5');
    const his = await world.propose('5', forAlice);
    const [, question] = world.questions;
    expect(question?.details).toMatchObject({
      proposed_by: 'bob',
      requested_by: 'bob.brown',
      shows: { 'Proposed by': 'bob.brown', 'Account owner': 'alice' },
      provenance: { fields: { qty: { source: 'other', from: 'bob.brown' } } },
    });
    expect(his.digest).not.toBe(mine.digest);
    expect(world.questions[0]?.details).not.toHaveProperty('proposed_by');
  });

  it('is refused to a stranger before anything is asked of anybody', async () => {
    const world = worldWithAdvisor();
    world.engaged = false;
    await expect(world.propose('5', forAlice)).rejects.toMatchObject({
      code: 'policy_denied',
      options: { members: { reason: 'RELATION_DENIED' } },
    });
    expect(world.questions).toEqual([]);
    expect(await world.store.list({ state: 'all' })).toEqual([]);
  });

  it('is not carried out where their engagement has ended since, and the approval is unused', async () => {
    const world = worldWithAdvisor();
    const { id } = await world.propose('5', forAlice);
    world.engaged = false;
    world.answers.push('approved');
    const { reason } = await world.until(id, 'blocked');
    expect(reason).toMatchObject({ code: 'policy_denied', members: { reason: 'RELATION_DENIED' } });
    expect(world.book).toEqual([]);
    expect(world.journal.size).toBe(0);
  });

  it('approved by who proposed it is refused by that name', async () => {
    const world = worldWithAdvisor({ answers: ['approved'] });
    const { verify } = world;
    world.verify = async (token, time) => ({ ...(await verify(token, time)), sub: 'bob' });
    const { reason } = await world.proposed('blocked', '5', forAlice);
    expect(reason).toMatchObject({ code: 'policy_denied', members: { reason: 'APPROVAL_BY_PROPOSER' } });
    expect(world.book).toEqual([]);
  });

  it('is listed for both, found and withdrawn by either, and hidden from anybody else', async () => {
    const world = worldWithAdvisor();
    const first = await world.propose('5', forAlice);
    const second = await world.propose('6', forAlice);
    const own = await world.propose('7');
    const idsOf = async (sub: string) =>
      (await world.kernel.list(sub, { state: 'all', limit: 10 })).map(({ id }) => id);
    expect(await idsOf('alice')).toEqual([own.id, second.id, first.id]);
    expect(await idsOf('bob')).toEqual([second.id, first.id]);
    expect(await idsOf('carol')).toEqual([]);
    expect(await world.kernel.find('alice', first.id)).toMatchObject({ id: first.id });
    await expect(world.kernel.find('carol', first.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(world.kernel.find('bob', own.id)).rejects.toMatchObject({ code: 'not_found' });
    await world.clock.run(world.kernel.withdraw('bob', first.id));
    await world.clock.run(world.kernel.withdraw('alice', second.id));
    expect([await world.row(first.id), await world.row(second.id)]).toMatchObject([
      { state: 'cancelled' },
      { state: 'cancelled' },
    ]);
  });

  it('counts against their own few, which leave the owner’s as they are', async () => {
    const world = worldWithAdvisor();
    for (const qty of ['1', '2', '3']) await world.propose(qty, forAlice);
    await expect(world.propose('4', forAlice)).rejects.toMatchObject({ code: 'too_many_open' });
    await world.propose('4');
    // And what the two ask for alike is not one.
    expect((await world.propose('1', { key: 'another' })).proposedBy).toBeUndefined();
  });

  it('is left alone by the end of the owner’s sign-in at the same client, and ended by that of theirs', async () => {
    const world = worldWithAdvisor();
    const his = await world.propose('5', forAlice);
    await world.clock.run(world.kernel.revoked({ sub: 'alice', clientId: 'trade-agent' }));
    expect((await world.row(his.id)).state).toBe('requested');
    await world.clock.run(world.kernel.revoked({ sub: 'bob', clientId: 'trade-agent' }));
    expect((await world.row(his.id)).state).toBe('cancelled');
  });

  it('stops with the owner’s trading, not with theirs', async () => {
    const world = worldWithAdvisor();
    const his = await world.propose('5', forAlice);
    await world.clock.run(world.kernel.halt(bob));
    expect((await world.row(his.id)).state).toBe('requested');
    await world.clock.run(world.kernel.halt(alice));
    expect((await world.row(his.id)).state).toBe('cancelled');
    await expect(world.propose('6', forAlice)).rejects.toMatchObject({ code: 'policy_denied' });
  });

  it('is looked at with no token of theirs', async () => {
    const world = worldWithAdvisor({ answers: ['approved'] });
    world.steps.push({ outcome: 'unknown', text: 'who knows' });
    const { id } = await world.proposed('unknown', '5', forAlice);
    const asked: unknown[] = [];
    world.onSettle = ({ sub, accessToken }) => asked.push({ sub, accessToken });
    await world.clock.run(world.kernel.settle(await world.row(id), bob));
    expect(asked).toEqual([{ sub: 'alice', accessToken: '' }]);
  });

  it('may be only what is about the account', async () => {
    const world = worldWithAdvisor();
    const message = { service: 'slack', channel: '#general', text: 'hello' } as const;
    await expect(
      world.kernel.propose(bob, { kind: 'message', message, for: 'alice' } as never, 'a key'),
    ).rejects.toMatchObject({ options: { members: { reason: 'RELATION_DENIED' } } });
  });

  it('under the key of an earlier one of theirs is that one', async () => {
    const world = worldWithAdvisor();
    const first = await world.propose('5', { ...forAlice, key: 'the key' });
    expect((await world.propose('5', { ...forAlice, key: 'the key' })).id).toBe(first.id);
    await expect(world.propose('5', { by: bob, key: 'the key' })).rejects.toMatchObject({
      code: 'idempotency_key_conflict',
    });
  });
});
