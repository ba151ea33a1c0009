import { describe, expect, it } from 'vitest';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { alice, type KernelWorld, kernelWorld, type WorldOptions } from './kernel-world.ts';

/** More than one person may approve by themselves. */
const MUCH = '1000';

/** Alice's co-owner is carol. */
function worldOfTwo(options: WorldOptions = {}): KernelWorld {
  const world = kernelWorld(options);
  world.access = {
    require: async (who, question, account) => {
      if (who === account || (who === 'carol' && question === 'can_approve_second')) return;
      throw new HttpProblem(403, 'policy_denied', 'a stranger');
    },
    findSecondApprover: async () => 'carol',
  };
  return world;
}
const bob = { sub: 'bob', clientId: 'trade-agent', accessToken: 'BOBS-TOKEN' } as const;
const askedOf = (world: KernelWorld) => world.questions.map(({ asked }) => asked.sub);

describe('what takes two people', () => {
  it('asks the second after the owner, about the very same, and is carried out after both', async () => {
    const world = worldOfTwo({ answers: ['approved', 'approved'] });
    const { id } = await world.propose(MUCH);
    const done = await world.until(id, 'executed');
    expect(askedOf(world)).toEqual(['alice', 'carol']);
    const [first, second] = world.questions;
    expect(second?.details).toEqual(first?.details);
    expect(second?.bindingMessage).toBe(first?.bindingMessage);
    expect(second?.notificationToken).not.toBe(first?.notificationToken);
    expect(world.book).toHaveLength(1);
    expect(done.second).toBe('carol');
    expect((await world.events()).map(({ event }) => event)).toEqual([
      'proposed',
      'requested',
      'owner_approved',
      'second_requested',
      'approved',
      'executing',
      'executed',
    ]);
    // Both phones hear of it.
    const executed = world.told.filter(({ state }) => state === 'executed');
    expect(executed.map(({ authReqId }) => authReqId).sort()).toEqual(['auth-1', 'auth-2']);
  });

  it('tells the desk who approved, by which sign-in, and by whose idea', async () => {
    const world = worldOfTwo({ answers: ['approved', 'approved'] });
    const seen: unknown[] = [];
    const { verify } = world;
    world.verify = async (...token) => ({ ...(await verify(...token)), acr: ['phr'] });
    world.steps.push(async (subject, { approvers, proposer, sub, acr }) => {
      seen.push({ approvers, proposer, sub, acr });
      return world.place(subject);
    });
    await world.proposed('executed', MUCH);
    expect(seen).toEqual([
      {
        approvers: ['alice', 'carol'],
        proposer: { sub: 'alice', client: 'trade-agent', at: expect.any(Number) },
        sub: 'alice',
        acr: ['phr', 'phr'],
      },
    ]);
  });

  it('is open until both have said yes', async () => {
    const world = worldOfTwo({ answers: ['approved'] });
    const { id } = await world.propose(MUCH);
    await world.sleep(60_000);
    expect(await world.row(id)).toMatchObject({
      state: 'requested',
      hasToken: true,
      ownerAuthReqId: 'auth-1',
    });
    expect(world.book).toEqual([]);
    expect((await world.until(id, 'expired')).reason).toMatchObject({ code: 'approval_expired' });
    expect(world.book).toEqual([]);
  });

  it('ends by a no of the owner, and the second is never asked', async () => {
    const world = worldOfTwo({ answers: [{ status: 'denied' }] });
    await world.proposed('denied', MUCH);
    expect(askedOf(world)).toEqual(['alice']);
    expect(world.book).toEqual([]);
  });

  it('ends by a no of the second, and the owner’s phone is told', async () => {
    const world = worldOfTwo({ answers: ['approved', { status: 'denied' }] });
    const { id } = await world.propose(MUCH);
    expect((await world.until(id, 'denied')).reason?.text).toMatch(/second approver/);
    expect(await world.store.sealedToken(id)).toBeUndefined();
    expect(world.book).toEqual([]);
    expect(world.told).toContainEqual({
      authReqId: 'auth-1',
      state: 'blocked',
      text: expect.stringContaining('second approver'),
    });
  });

  it('withdrawn in between, is withdrawn on both phones', async () => {
    const world = worldOfTwo({ answers: ['approved'] });
    const { id } = await world.propose(MUCH);
    await world.sleep(10_000);
    await world.clock.run(world.kernel.withdraw('alice', id));
    await world.sleep(5_000);
    expect((await world.row(id)).state).toBe('cancelled');
    expect(new Set(world.told.map(({ authReqId }) => authReqId))).toEqual(new Set(['auth-1', 'auth-2']));
    expect(world.book).toEqual([]);
  });

  it('goes on after a restart with the second alone: the owner said yes once', async () => {
    const world = worldOfTwo({ answers: ['approved'] });
    const { id } = await world.propose(MUCH);
    await world.sleep(10_000);
    await world.close();
    world.answers.push('approved');
    world.start();
    await world.until(id, 'executed');
    expect(askedOf(world)).toEqual(['alice', 'carol']);
    expect(world.book).toHaveLength(1);
  });

  it('asks the second again where their answer was lost, and not the owner', async () => {
    const world = worldOfTwo({ answers: ['approved', { status: 'lost' }, 'approved'] });
    await world.proposed('executed', MUCH);
    expect(askedOf(world)).toEqual(['alice', 'carol', 'carol']);
    expect(world.book).toHaveLength(1);
  });

  it('asks a second person three times at most', async () => {
    const lost = { status: 'lost' } as const;
    const world = worldOfTwo({ answers: ['approved', lost, lost, lost, 'approved'] });
    expect((await world.proposed('blocked', MUCH)).reason?.code).toBe('provider_error');
    expect(askedOf(world)).toEqual(['alice', 'carol', 'carol', 'carol']);
  });

  it('takes an owner’s yes that was in time, though its token ran out while the second thought', async () => {
    const world = worldOfTwo({ answers: ['approved'] });
    const { id } = await world.propose(MUCH, { ttl: 3600 });
    await world.sleep(1_200_000);
    world.answers.push('approved');
    await world.until(id, 'executed');
    expect(world.book).toHaveLength(1);
  });

  it('expires where the owner says yes too late for the second to be asked', async () => {
    const world = worldOfTwo({ answers: [] });
    const { id } = await world.propose(MUCH, { ttl: 60 });
    await world.sleep(56_000);
    world.answers.push('approved');
    const { reason } = await world.until(id, 'expired');
    expect(reason?.text).toBe('the time to approve the proposal ran out before the second approver could be asked');
    expect(askedOf(world)).toEqual(['alice']);
    expect(world.book).toEqual([]);
  });

  it.each<[string, string | undefined, object]>([
    ['the owner twice', 'alice', { reason: 'APPROVAL_NEEDS_SECOND' }],
    ['a third', 'mallory', {}],
  ])('refuses a second yes of %s', async (_, by, members) => {
    const world = worldOfTwo({ answers: ['approved', 'approved'] });
    const { verify } = world;
    world.verify = async (token, time) => {
      const approved = await verify(token, time);
      return approved.sub === 'carol' ? { ...approved, sub: by ?? '' } : approved;
    };
    const { reason } = await world.proposed('blocked', MUCH);
    expect(reason).toMatchObject(
      'reason' in members ? { code: 'policy_denied', members } : { code: 'approved_by_another_user' },
    );
    expect(world.book).toEqual([]);
  });

  it('refuses a second yes to another digest', async () => {
    const world = worldOfTwo({ answers: ['approved', 'approved'] });
    const { verify } = world;
    world.verify = async (token, time) => {
      const approved = await verify(token, time);
      if (approved.sub !== 'carol') return approved;
      const [details] = approved.authorizationDetails as Record<string, unknown>[];
      return { ...approved, authorizationDetails: [{ ...details, digest: 'A'.repeat(43) }] };
    };
    const { reason } = await world.proposed('blocked', MUCH);
    expect(reason).toMatchObject({ code: 'details_mismatch' });
    expect(world.book).toEqual([]);
  });

  it('does not ring the second phone for an owner’s approval whose token has already expired', async () => {
    const world = worldOfTwo();
    const { id } = await world.propose(MUCH);
    const expiresAt = world.clock.now();
    world.answers.push({ status: 'approved', accessToken: `token ${id}`, expiresAt }, 'approved');
    await world.sleep(60_000);
    expect(askedOf(world)).toEqual(['alice']);
    expect(await world.row(id)).toMatchObject({ state: 'expired', reason: { code: 'approval_expired' } });
    expect(world.book).toEqual([]);
  });

  it('refuses the owner’s yes before the second phone rings, where it is none', async () => {
    const world = worldOfTwo({ answers: ['approved', 'approved'] });
    world.verify = async () => {
      throw new HttpProblem(401, 'token_signature', 'the signature of the access token is invalid');
    };
    await world.proposed('blocked', MUCH);
    expect(askedOf(world)).toEqual(['alice']);
  });

  it('is signed by each with a key of their own', async () => {
    const checked: string[] = [];
    const world = worldOfTwo({
      answers: ['approved', 'approved'],
      signatures: {
        check: async (details, _evidence, sub) => {
          checked.push(`${sub} ${details.digest}`);
          return undefined as never;
        },
      },
    });
    const { digest } = await world.proposed('executed', MUCH);
    expect([...new Set(checked)]).toEqual([`alice ${digest}`, `carol ${digest}`]);
  });

  it('is never approved a second time by whoever proposed it, even if they are a co-owner', async () => {
    const world = worldOfTwo({ answers: ['approved', 'approved'] });
    const coOwners = ['bob', 'carol'];
    world.access = {
      require: async () => undefined,
      findSecondApprover: async (_account, excluded) => {
        const found = coOwners.find((who) => !excluded.includes(who));
        if (found === undefined) throw new HttpProblem(403, 'policy_denied', 'there is nobody');
        return found;
      },
    };
    expect(await world.proposed('executed', MUCH, { by: bob, owner: 'alice' })).toMatchObject({
      proposedBy: 'bob',
      second: 'carol',
    });
    expect(askedOf(world)).toEqual(['alice', 'carol']);
  });

  it('is not proposed where nobody could be the second', async () => {
    const world = worldOfTwo();
    world.access.findSecondApprover = async () => {
      throw new HttpProblem(403, 'policy_denied', 'nobody', { members: { reason: 'APPROVAL_NEEDS_SECOND' } });
    };
    await expect(world.propose(MUCH)).rejects.toMatchObject({ code: 'policy_denied' });
    expect(world.questions).toEqual([]);
  });

  it('is not carried out where the second may no longer be it', async () => {
    const world = worldOfTwo({ answers: ['approved'] });
    const { id } = await world.propose(MUCH);
    await world.sleep(10_000);
    world.access.require = async (who) => {
      if (who === alice.sub) return;
      throw new HttpProblem(403, 'policy_denied', 'no longer', { members: { reason: 'RELATION_DENIED' } });
    };
    world.answers.push('approved');
    expect((await world.until(id, 'blocked')).reason?.members).toMatchObject({ reason: 'RELATION_DENIED' });
    expect(world.book).toEqual([]);
  });

  it('takes one where it is little', async () => {
    const world = worldOfTwo({ answers: ['approved'] });
    await world.proposed('executed', '5');
    expect(askedOf(world)).toEqual(['alice']);
  });
});
