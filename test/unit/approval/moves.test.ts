import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSettled, openStates, transitions } from '../../../src/approval/states.ts';
import type { Changes } from '../../../src/approval/stored-proposal.ts';
import { isSettledState, proposalStates } from '../../../src/trading/proposal.ts';
import { type KernelWorld, kernelWorld } from './kernel-world.ts';

const settledStates = ['executed', 'denied', 'expired', 'cancelled', 'blocked'] as const;
/** How many lines were noted so far, and the last. */
const noted = ({ database }: KernelWorld) => {
  const last = database
    .prepare<[], { seq: number; line: string }>('SELECT seq, line FROM audit_noted ORDER BY seq DESC LIMIT 1')
    .get();
  return { count: last?.seq ?? 0, last: JSON.parse(last?.line ?? '{}') as Record<string, unknown> };
};

describe('a proposal', () => {
  const pairs = proposalStates.flatMap((from) => proposalStates.map((to) => [from, to] as const));
  it.each(pairs)('moves from %s to %s only where the table allows', (from, to) => {
    const world = kernelWorld();
    const { id } = world.left(from);
    const { moved, proposal } = world.store.move(id, to);
    expect(moved).toBe(transitions[from].includes(to));
    expect(proposal.state).toBe(moved ? to : from);
    expect(world.row(id)).toEqual(proposal);
  });

  it('once settled never changes', () => {
    for (const state of settledStates) expect(transitions[state]).toEqual([]);
    expect(proposalStates.filter(isSettled)).toEqual(settledStates);
    expect(proposalStates.filter(isSettledState)).toEqual(settledStates);
    expect(openStates).toEqual(proposalStates.filter((state) => !isSettled(state)));
  });

  const step = fc.record({
    to: fc.constantFrom(...proposalStates),
    from: fc.option(fc.constantFrom(...proposalStates), { nil: undefined }),
    question: fc.constantFrom(undefined, 'one', 'another'),
    changes: fc.constantFrom<Changes[]>(
      {},
      { authReqId: 'one' },
      { token: { value: 'PLANTED', expiresAt: 0 } },
      { reason: { code: 'x', text: 'y' } },
      { result: { order: 1 } },
    ),
    /** The transaction it is part of comes to nothing. */
    fails: fc.boolean(),
  });

  it('is never where the table does not lead, and each move is on the record once, or not at all', () => {
    const world = kernelWorld();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { id } = world.left('drafted');
        for (const { to, from, question, changes, fails } of steps) {
          const before = world.row(id);
          const lines = noted(world).count;
          const guard = {
            ...(from === undefined ? {} : { from }),
            ...(question === undefined ? {} : { authReqId: question }),
          };
          const unique =
            changes.authReqId === undefined ? changes : { authReqId: `${changes.authReqId} ${id}` };
          if (fails) {
            expect(() =>
              world.store.inOneCommit(() => {
                world.store.move(id, to, unique, guard);
                throw new Error('rolled back');
              }),
            ).toThrow('rolled back');
            expect(world.row(id)).toEqual(before);
            expect(noted(world).count).toBe(lines);
            continue;
          }
          const { moved, proposal } = world.store.move(id, to, unique, guard);
          const after = noted(world);
          if (!moved) {
            expect([world.row(id), after.count]).toEqual([before, lines]);
            continue;
          }
          expect(transitions[before.state]).toContain(to);
          expect(isSettled(before.state)).toBe(false);
          expect(from ?? before.state).toBe(before.state);
          expect(question ?? before.authReqId).toBe(before.authReqId);
          expect(after.count).toBe(lines + 1);
          expect(after.last).toMatchObject({ proposal: id, state: to });
          expect(proposal.version).toBeGreaterThan(before.version);
          if (isSettled(to))
            expect([proposal.hasToken, proposal.notificationToken]).toEqual([false, undefined]);
        }
      }),
      { numRuns: 100 },
    );
    expect(world.database.serialize().includes('PLANTED')).toBe(false);
  });

  it('is moved by one of two who see the same state', () => {
    const world = kernelWorld();
    const { id } = world.left('approved');
    const moves = [1, 2].map(() => world.store.move(id, 'cancelled', {}, { from: 'approved' }));
    expect(moves.map(({ moved }) => moved)).toEqual([true, false]);
  });

  it('keeps its token sealed, opens it for its own row alone, and erases it at the end', () => {
    const world = kernelWorld();
    const one = world.left('approved', '1');
    const two = world.left('approved', '2');
    expect(world.store.token(one.id)).toBe(`token ${one.id}`);
    expect(world.database.serialize().includes(`token ${one.id}`)).toBe(false);
    world.database
      .prepare(
        'UPDATE proposals SET sealed_token = (SELECT sealed_token FROM proposals WHERE id = ?) WHERE id = ?',
      )
      .run(one.id, two.id);
    expect(() => world.store.token(two.id)).toThrow(expect.objectContaining({ code: 'state_corrupt' }));
    world.store.move(one.id, 'executing');
    expect(world.store.token(one.id)).toBe(`token ${one.id}`);
    world.store.move(one.id, 'executed');
    expect(world.store.token(one.id)).toBeUndefined();
  });

  it('asked again forgets the lost question', () => {
    const world = kernelWorld();
    const { id } = world.left('requested');
    expect(world.store.move(id, 'drafted').proposal).toMatchObject({
      authReqId: undefined,
      notificationToken: undefined,
      asked: 1,
    });
  });

  it('has an event number that rises with each change of any', () => {
    const world = kernelWorld();
    const one = world.left('drafted', '1');
    const two = world.left('drafted', '2');
    world.store.move(one.id, 'cancelled');
    const changed = world.store.changedSince('alice', one.version);
    expect(changed.map(({ id }) => id)).toEqual([two.id, one.id]);
    expect(world.store.changedSince('bob', 0)).toEqual([]);
  });
});
