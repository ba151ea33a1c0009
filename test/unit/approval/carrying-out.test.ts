import { describe, expect, it } from 'vitest';
import type { Approval } from '../../../src/approval/kind.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { alice, type KernelWorld, kernelWorld, TOKEN_MS } from './kernel-world.ts';

const busy = new HttpProblem(503, 'broker_busy', 'the broker is busy');
const notTaken = { outcome: 'not_taken', refusal: busy } as const;
const unknown = { outcome: 'unknown', text: 'no answer' } as const;

/** Has the token of the approval say something else. */
function tokenSays(world: KernelWorld, change: (approved: Approval) => Partial<Approval>): void {
  const { verify } = world;
  world.verify = async (token, time) => {
    const approved = await verify(token, time);
    return { ...approved, ...change(approved) };
  };
}
const detailsOf = ({ authorizationDetails }: Approval) => (authorizationDetails as Record<string, unknown>[])[0] ?? {};

describe('what was approved', () => {
  it('is carried out once, and its phone hears of it', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    const { id } = await world.propose();
    const { result } = await world.until(id, 'executed');
    expect(result).toEqual({ order: (await world.row(id)).subjectId });
    expect(world.book).toHaveLength(1);
    expect(world.told.map(({ state }) => state)).toEqual(['executed']);
    expect(await world.row(id)).toMatchObject({ hasToken: false });
  });

  it('is told as being sent where that takes more than a moment', async () => {
    const world = kernelWorld({ answers: ['approved', 'approved'] });
    for (const ms of [99, 101]) {
      world.steps.push(async (subject) => {
        await world.clock.sleep(ms);
        return world.place(subject);
      });
    }
    await world.proposed('executed', '1');
    expect(world.told.map(({ state }) => state)).toEqual(['executed']);
    await world.proposed('executed', '2');
    expect(world.told.map(({ state }) => state)).toEqual(['executed', 'executing', 'executed']);
  });

  it('is on the record before the desk hears of it', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    let last: string | undefined;
    world.steps.push(async (subject) => {
      last = (await world.events()).at(-1)?.event;
      return world.place(subject);
    });
    await world.proposed('executed');
    expect(last).toBe('executing');
  });

  it.each([
    ['another user', () => ({ sub: 'mallory' }), 'approved_by_another_user'],
    ['no details', () => ({ authorizationDetails: undefined }), 'approval_missing'],
    ['empty details', () => ({ authorizationDetails: [] }), 'approval_missing'],
    ['details that are no array', () => ({ authorizationDetails: {} }), 'approval_malformed'],
    ['details that are no object', () => ({ authorizationDetails: ['x'] }), 'approval_malformed'],
    [
      'two details objects',
      (approved: Approval) => ({ authorizationDetails: [detailsOf(approved), detailsOf(approved)] }),
      'approval_ambiguous',
    ],
    [
      'a field more',
      (approved: Approval) => ({ authorizationDetails: [{ ...detailsOf(approved), more: 1 }] }),
      'details_mismatch',
    ],
    [
      'an own __proto__',
      (approved: Approval) => ({
        authorizationDetails: [
          JSON.parse(JSON.stringify(detailsOf(approved)).replace('{', '{"__proto__":{},')) as object,
        ],
      }),
      'details_mismatch',
    ],
  ])('by a token of %s is not carried out', async (_, change, code) => {
    const world = kernelWorld({ answers: ['approved'] });
    tokenSays(world, change);
    expect((await world.proposed('blocked')).reason?.code).toBe(code);
    expect(world.book).toEqual([]);
    expect(world.told.at(-1)).toMatchObject({ state: 'blocked' });
  });

  it.each([
    'type',
    'locations',
    'actions',
    'identifier',
    'kind',
    'proposal',
    'code',
    'digest',
    'expires_at',
    'subject',
    'worst_case',
    'warnings',
    'shows',
    'requested_by',
    'client',
    'provenance',
  ])('by a token whose %s differs, or is missing, is not carried out', async (field) => {
    for (const other of [{ [field]: 'of another' }, { [field]: undefined }]) {
      const world = kernelWorld({ answers: ['approved'] });
      tokenSays(world, (approved) => ({
        authorizationDetails: [JSON.parse(JSON.stringify({ ...detailsOf(approved), ...other })) as object],
      }));
      const { reason } = await world.proposed('blocked');
      expect(reason).toMatchObject({ code: 'details_mismatch', text: expect.stringContaining(field) });
      expect(world.book).toEqual([]);
    }
  });

  it('where tokens carry no details, the owner’s is enough, and another’s is not', async () => {
    const world = kernelWorld({ details: 'message', answers: ['approved', 'approved'] });
    tokenSays(world, () => ({ authorizationDetails: undefined }));
    await world.proposed('executed', '1');
    tokenSays(world, () => ({ sub: 'mallory' }));
    await world.proposed('blocked', '2');
    expect(world.book).toHaveLength(1);
  });

  it('is nobody’s any more who carries it out, once another gateway has taken it over', async () => {
    const world = kernelWorld();
    const { id } = await world.left('approved');
    const seen: (boolean | undefined)[] = [];
    world.steps.push(async (subject, approved) => {
      seen.push(await approved.isOurs?.());
      await world.moves.move(await world.row(id), 'executing');
      seen.push(await approved.isOurs?.());
      return world.place(subject);
    });
    world.start();
    await world.until(id, 'executed');
    expect(seen).toEqual([true, false]);
  });

  it('is tried again where the desk did not take it, until it does', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    world.steps.push(notTaken, notTaken);
    await world.proposed('executed');
    expect(world.book).toHaveLength(1);
    expect((await world.events()).map(({ event }) => event)).toEqual([
      'proposed',
      'requested',
      'approved',
      'executing',
      'not_taken',
      'executing',
      'not_taken',
      'executing',
      'executed',
    ]);
  });

  it('is tried again until its deadline, and no longer', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    world.steps.push(...Array(500).fill(notTaken));
    const { id } = await world.propose();
    const began = world.clock.now();
    expect((await world.until(id, 'expired')).reason?.code).toBe('approval_expired');
    expect(world.clock.now() - began).toBeLessThanOrEqual(331_000);
    expect(world.book).toEqual([]);
  });

  it('ends where its token runs out while the desk is busy, though its deadline is later', async () => {
    const world = kernelWorld();
    const { id } = await world.left('approved', '5', 8 * 3_600_000);
    world.steps.push(async () => {
      world.clock.advance(TOKEN_MS + 3_600_000);
      return notTaken;
    });
    world.start();
    expect((await world.until(id, 'expired')).reason?.code).toBe('approval_expired');
  });

  it('can be withdrawn, and halted, while the desk is busy', async () => {
    for (const end of ['withdraw', 'halt'] as const) {
      const world = kernelWorld({ answers: ['approved'] });
      world.steps.push(...Array(500).fill(notTaken));
      const { id } = await world.proposed('approved');
      await world.sleep(3_000);
      if (end === 'withdraw') await world.kernel.withdraw('alice', id);
      else await world.kernel.halt(alice);
      expect((await world.row(id)).state).toBe('cancelled');
      const left = world.steps.length;
      await world.sleep(120_000);
      expect(world.steps.length).toBe(left);
    }
  });

  it('refused for good is blocked, with the reason’s members; refused as late it is expired', async () => {
    const world = kernelWorld({ answers: ['approved', 'approved'] });
    const members = { reason: 'ORDER_NOTIONAL_EXCEEDS_MAX', limit: '1000', value: '2000' };
    world.steps.push(
      { outcome: 'refused', refusal: new HttpProblem(403, 'policy_denied', 'too much', { members }) },
      { outcome: 'refused', refusal: new HttpProblem(403, 'approval_expired', 'late') },
    );
    const blocked = await world.proposed('blocked', '1');
    expect(blocked.reason).toEqual({ code: 'policy_denied', text: 'too much', members });
    await world.proposed('expired', '2');
  });

  it('of unknown outcome is asked about until it is known, and never said to have failed', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    world.steps.push(async (subject) => {
      world.place(subject);
      return unknown;
    }, unknown);
    const { id } = await world.proposed('unknown');
    await world.until(id, 'executed');
    expect(world.book).toHaveLength(1);
    expect(world.told.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'executed']);
  });

  it('of an outcome that nobody will ever know is over', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    world.steps.push({ ...unknown, final: true });
    expect((await world.proposed('blocked')).reason?.code).toBe('outcome_unknown');
  });

  it('of unknown outcome is still looked up for some minutes after its token has expired', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    const foundAt = world.clock.now() + TOKEN_MS + 10 * 60_000;
    world.steps.push(
      ...Array(500).fill(async (subject: Parameters<typeof world.place>[0]) =>
        world.clock.now() < foundAt ? unknown : world.place(subject),
      ),
    );
    const { id } = await world.propose();
    await world.sleep(TOKEN_MS + 12 * 60_000);
    expect((await world.row(id)).state).toBe('executed');
    expect(world.book).toHaveLength(1);
  });

  it('unknown when its token is of no use any more is settled by the owner’s next visit', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    world.steps.push(...Array(500).fill(unknown));
    const { id } = await world.propose();
    await world.sleep(3 * 3_600_000);
    expect((await world.row(id)).state).toBe('unknown');
    const left = world.steps.length;
    await world.sleep(3_600_000);
    expect(world.steps.length).toBe(left);
    expect(await world.kernel.settle(await world.row(id), alice)).toMatchObject({ state: 'unknown' });
    world.settled = { outcome: 'executed', result: { order: 'found' } };
    await world.sleep(1_000);
    expect(await world.kernel.settle(await world.row(id), alice)).toMatchObject({
      state: 'executed',
      result: { order: 'found' },
    });
  });

  it('unknown and never handed over is carried out after all when its owner looks', async () => {
    const world = kernelWorld();
    const { id } = await world.left('unknown');
    world.settled = undefined;
    await world.kernel.settle(await world.row(id), alice);
    await world.sleep(60_000);
    expect(await world.row(id)).toMatchObject({ state: 'executed' });
  });

  it.each([
    [{ outcome: 'refused', refusal: new HttpProblem(422, 'broker_rejected', 'no') }, 'blocked', 'broker_rejected'],
    [{ outcome: 'refused', refusal: new HttpProblem(409, 'not_placed', 'never') }, 'expired', 'not_placed'],
    [{ ...unknown, final: true }, 'blocked', 'outcome_unknown'],
  ] as const)('unknown and then found to be %o is %s', async (found, state, code) => {
    const world = kernelWorld();
    const { id } = await world.left('unknown');
    world.settled = found;
    expect(await world.kernel.settle(await world.row(id), alice)).toMatchObject({ state, reason: { code } });
  });

  it('an answer to who looks that comes while it is carried out again changes nothing', async () => {
    const world = kernelWorld();
    const { id } = await world.left('unknown');
    const seen = await world.row(id);
    await world.moves.move(seen, 'executing');
    world.settled = { outcome: 'refused', refusal: new HttpProblem(409, 'not_placed', 'never') };
    expect(await world.kernel.settle(seen, alice)).toMatchObject({ state: 'executing' });
  });
});
