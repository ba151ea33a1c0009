import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProposalPatch } from '../../../src/approval/transitions.ts';
import { allowedTransitions, openStates } from '../../../src/approval/transitions.ts';
import type { StoredProposal } from '../../../src/store/proposal-store.ts';
import { OPEN_STATES_SQL } from '../../../src/store/rows/proposal-states.ts';
import { isSettledState, proposalStates } from '../../../src/trading/proposal.ts';
import { type KernelWorld, kernelWorld } from './kernel-world.ts';

const settledStates = ['executed', 'denied', 'expired', 'cancelled', 'blocked'] as const;
/** How many lines were noted so far, and the last. */
const noted = ({ database }: KernelWorld) => {
  const last = database
    .prepare<[], { seq: number; line: string }>('SELECT id AS seq, line FROM record_lines ORDER BY id DESC LIMIT 1')
    .get();
  return { count: last?.seq ?? 0, last: JSON.parse(last?.line ?? '{}') as Record<string, unknown> };
};

describe('a proposal', () => {
  const pairs = proposalStates.flatMap((from) => proposalStates.map((to) => [from, to] as const));
  it.each(pairs)('moves from %s to %s only where the table allows', async (from, to) => {
    const world = kernelWorld();
    const seen = await world.left(from);
    const { outcome, proposal } = await world.moves.move(seen, to);
    expect(outcome).toBe(allowedTransitions[from].includes(to) ? 'moved' : 'barred');
    expect(proposal.state).toBe(outcome === 'moved' ? to : from);
    expect(await world.row(seen.id)).toEqual(proposal);
  });

  it('once settled never changes, except that an order that was written off may be found', () => {
    for (const state of settledStates)
      expect(allowedTransitions[state]).toEqual(state === 'expired' ? ['executed'] : []);
    expect(proposalStates.filter(isSettledState)).toEqual(settledStates);
    expect(openStates).toEqual(proposalStates.filter((state) => !isSettledState(state)));
  });

  const step = fc.record({
    to: fc.constantFrom(...proposalStates),
    /** Seen so many changes ago. */
    ago: fc.constantFrom(0, 0, 0, 1, 2),
    changes: fc.constantFrom<ProposalPatch[]>(
      {},
      { authReqId: 'one' },
      { token: { value: 'PLANTED', expiresAt: 0 } },
      { reason: { code: 'internal', text: 'y' } },
      { result: { order: 1 } },
    ),
    /** The transaction comes to nothing: the provider gave another's id. */
    fails: fc.boolean(),
  });

  it('is never where the table does not lead, and each move is on the record once, or not at all', async () => {
    const world = kernelWorld();
    const other = await world.left('requested', 'another');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const seen = [await world.left('drafted')];
        const { id } = seen[0] as StoredProposal;
        for (const { to, ago, changes, fails } of steps) {
          const before = await world.row(id);
          const lines = noted(world).count;
          const from = seen.at(-1 - ago) ?? before;
          const leads = allowedTransitions[from.state].includes(to);
          if (fails && leads && from.version === before.version && to !== 'drafted') {
            const taken = { ...changes, authReqId: other.authReqId ?? '' };
            await expect(world.moves.move(from, to, taken)).rejects.toThrow('UNIQUE');
            expect([await world.row(id), noted(world).count]).toEqual([before, lines]);
            continue;
          }
          const unique = changes.authReqId === undefined ? changes : { authReqId: `${changes.authReqId} ${id}` };
          const { outcome, proposal } = await world.moves.move(from, to, unique);
          const after = noted(world);
          if (outcome !== 'moved') {
            expect(outcome).toBe(leads ? 'stale' : 'barred');
            expect([await world.row(id), after.count]).toEqual([before, lines]);
            if (outcome === 'stale') expect(proposal).toEqual(before);
            continue;
          }
          expect(from.version).toBe(before.version);
          expect(allowedTransitions[before.state]).toContain(to);
          const isFound = before.state === 'expired' && to === 'executed';
          expect(isSettledState(before.state)).toBe(isFound);
          expect(after.count).toBe(lines + 1);
          expect(after.last).toMatchObject({ proposal: id, state: to });
          expect(proposal.version).toBeGreaterThan(before.version);
          if (isSettledState(to)) expect(proposal.hasToken).toBe(false);
          seen.push(proposal);
        }
      }),
      { numRuns: 100 },
    );
    expect(world.database.serialize().includes('PLANTED')).toBe(false);
  });

  it('that was approved is not begun under a halt, which is looked at with the move', async () => {
    const world = kernelWorld();
    const unknown = await world.left('unknown', '2');
    const approved = await world.left('approved');
    await world.halts.halt('alice', 'trade-agent', world.clock.now());
    const lines = noted(world).count;
    expect(await world.moves.move(approved, 'executing')).toEqual({ outcome: 'halted', proposal: approved });
    expect([await world.row(approved.id), noted(world).count]).toEqual([approved, lines]);
    // One that was begun before is asked about.
    expect(await world.moves.move(unknown, 'executing')).toMatchObject({ outcome: 'moved' });
  });

  it('keeps its token sealed, opens it for its own row alone, and erases it at the end', async () => {
    const world = kernelWorld();
    const one = await world.left('approved', '1');
    const two = await world.left('approved', '2');
    expect(await world.moves.token(one)).toBe(`token ${one.id}`);
    expect(world.database.serialize().includes(`token ${one.id}`)).toBe(false);
    world.database
      .prepare('UPDATE proposals SET sealed_token = (SELECT sealed_token FROM proposals WHERE id = ?) WHERE id = ?')
      .run(one.id, two.id);
    await expect(world.moves.token(two)).rejects.toMatchObject({ code: 'state_corrupt' });
    const { proposal: executing } = await world.moves.move(one, 'executing');
    expect(await world.moves.token(executing)).toBe(`token ${one.id}`);
    const { proposal: executed } = await world.moves.move(executing, 'executed');
    expect(await world.moves.token(executed)).toBeUndefined();
  });

  it('asked again forgets the lost question', async () => {
    const world = kernelWorld();
    const requested = await world.left('requested');
    expect((await world.moves.move(requested, 'drafted')).proposal).toMatchObject({
      authReqId: undefined,
      asked: 1,
    });
  });

  it('keeps what became of it, where nobody has noted another result meanwhile', async () => {
    const world = kernelWorld();
    const executed = await world.left('executed');
    const noting = await Promise.all([1, 2].map((n) => world.moves.recordResult(executed, { order: n })));
    expect(noting.map(({ outcome }) => outcome)).toEqual(['moved', 'stale']);
    expect(await world.row(executed.id)).toMatchObject({ state: 'executed', result: { order: 1 } });
    expect(noted(world).last).toMatchObject({ event: 'executed', result: { order: 1 } });
  });
});

it('the store’s list of open states is the table’s', () => {
  expect(OPEN_STATES_SQL).toBe(openStates.map((state) => `'${state}'`).join(', '));
});
