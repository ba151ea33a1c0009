import { describe, expect, it } from 'vitest';
import { NO_TOKEN } from '../../../src/approval/access.ts';
import type { Approval, ExecutionOutcome, Proposer } from '../../../src/approval/kind.ts';
import type { ProposalReason } from '../../../src/store/proposal-store.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import type { ProposalState } from '../../../src/trading/proposal.ts';
import { alice, type KernelWorld, kernelWorld, type WorldOptions } from './kernel-world.ts';

const notPlaced: ProposalReason = {
  code: 'not_placed',
  text: 'the approval expired before the broker accepted the order',
};
const refused: ExecutionOutcome<unknown> = {
  outcome: 'refused',
  refusal: new HttpProblem(409, 'not_placed', 'there is no order'),
};
const unknown: ExecutionOutcome<unknown> = { outcome: 'unknown', text: 'no answer' };

/** Lets all that is under way come to its end, without a look of half a minute later. */
const settleDown = (world: KernelWorld) => world.sleep(1_000);
/** Lines of the record about a proposal: each event, and the reason that it gives. */
const recordLines = async (world: KernelWorld) =>
  (await world.events()).map((line) => {
    const { event, reason } = line as { event: string; reason?: { code: string } };
    return [event, reason?.code];
  });

/** One that is being carried out here while another process writes it off; then the desk answers. */
async function writtenOffMeanwhile(
  answer: (world: KernelWorld, approved: Approval) => ExecutionOutcome<unknown>,
  options: WorldOptions = {},
) {
  const world = kernelWorld(options);
  const { id } = await world.left('approved');
  world.steps.push(async (_subject, approved) => {
    await world.moves.move(await world.row(id), 'expired', { reason: notPlaced });
    return answer(world, approved);
  });
  world.start();
  await settleDown(world);
  return { world, id };
}

describe('a proposal that was reported as expired, whose order reaches the broker', () => {
  const placed: ExecutionOutcome<unknown> = { outcome: 'executed', result: { order: 'order-1' } };

  it('becomes executed, and says that it was placed late and what can be done', async () => {
    const { world, id } = await writtenOffMeanwhile(() => placed);
    expect(await world.row(id)).toMatchObject({
      state: 'executed',
      result: { order: 'order-1' },
      reason: {
        code: 'placed_late',
        text: expect.stringMatching(/reached the broker later\. Cancel it .* or reverse/),
      },
    });
    expect((await world.row(id)).reason?.members).toBeUndefined();
    expect(world.errors).toEqual([]);
  });

  it('names by what it takes its mandate beyond its bounds', async () => {
    const excess = 'Mandate M-1 was used for more than you approved: $1,616.08, not $1,200.00.';
    const { world, id } = await writtenOffMeanwhile(() => placed, { mandateExcess: async () => excess });
    expect((await world.row(id)).reason).toMatchObject({
      text: expect.stringContaining(excess),
      members: { excess },
    });
  });

  it('leaves a line of the record for each state', async () => {
    const { world } = await writtenOffMeanwhile(() => placed);
    expect((await recordLines(world)).slice(-2)).toEqual([
      ['expired', 'not_placed'],
      ['executed', 'placed_late'],
    ]);
  });

  it('is told to the phone that was asked, as carried out late', async () => {
    const { world, id } = await writtenOffMeanwhile(() => placed);
    const text = 'placed; it had been reported as not placed, but reached the broker later';
    expect(world.told.at(-1)).toEqual({ authReqId: `left-${id}`, state: 'executed', text });
    expect(await world.store.unreported()).toEqual([]);
  });

  it('wakes whoever watches it', async () => {
    const { world, id } = await writtenOffMeanwhile(() => unknown);
    const { version, state } = await world.row(id);
    expect(state).toBe('expired');
    const changed = world.kernel.awaitChange(id, version, 25_000, new AbortController().signal);
    world.settled = placed;
    expect(await world.kernel.reconcileOrder('alice', `ta-${id}`)).toBe('accounted');
    expect(await world.clock.run(changed)).toMatchObject({ state: 'executed' });
  });

  it.each<[string, ExecutionOutcome<unknown>]>([
    ['a refusal', refused],
    ['no answer', unknown],
    ['an answer that it was not taken', { outcome: 'not_taken', refusal: new HttpProblem(503, 'broker_busy', 'busy') }],
  ])('stays expired after %s, which is no proof', async (_, answer) => {
    const { world, id } = await writtenOffMeanwhile(() => answer);
    expect(await world.row(id)).toMatchObject({ state: 'expired', reason: notPlaced });
  });
});

describe('an order that is found at the broker', () => {
  const found: ExecutionOutcome<unknown> = { outcome: 'executed', result: { order: 'found' } };

  it('has its expired proposal executed, once, asked about with the latest token of its owner', async () => {
    const world = kernelWorld();
    const { id } = await world.left('expired');
    const askers: Proposer[] = [];
    world.onSettle = (asker) => askers.push(asker);
    world.settled = found;
    await world.kernel.watched(alice);
    await world.kernel.watched({ ...alice, accessToken: 'LATER-TOKEN' });
    expect(await world.kernel.reconcileOrder('alice', `ta-${id}`)).toBe('accounted');
    const { version, ...row } = await world.row(id);
    expect(row).toMatchObject({
      ...{ state: 'executed', result: { order: 'found' } },
      reason: { code: 'placed_late' },
    });
    expect(await world.kernel.reconcileOrder('alice', `ta-${id}`)).toBe('accounted');
    expect((await world.row(id)).version).toBe(version);
    expect(askers.map(({ accessToken }) => accessToken)).toEqual(['LATER-TOKEN']);
  });

  it('is asked about without a token where no token of its owner is known', async () => {
    const world = kernelWorld();
    const { id } = await world.left('expired');
    const askers: Proposer[] = [];
    world.onSettle = (asker) => askers.push(asker);
    world.settled = found;
    await world.kernel.reconcileOrder('alice', `ta-${id}`);
    expect(askers).toEqual([{ sub: 'alice', clientId: '', accessToken: NO_TOKEN }]);
  });

  it.each<[string, ExecutionOutcome<unknown> | undefined]>([
    ['nothing', undefined],
    ['a refusal', refused],
    ['nothing that anybody knows', unknown],
  ])('leaves its proposal expired where its desk tells of %s', async (_, settled) => {
    const world = kernelWorld();
    const { id } = await world.left('expired');
    world.settled = settled;
    await world.kernel.reconcileOrder('alice', `ta-${id}`);
    expect((await world.row(id)).state).toBe('expired');
  });

  it.each<ProposalState>(['unknown', 'executing'])('has one that is %s asked about', async (state) => {
    const world = kernelWorld();
    const row = await world.left(state);
    world.place(row.subject as Parameters<KernelWorld['place']>[0]);
    expect(await world.kernel.reconcileOrder('alice', row.subjectId)).toBe('accounted');
    expect((await world.until(row.id, 'executed')).reason).toBeUndefined();
  });

  it('is accounted for by one that is executed, which is not asked about again', async () => {
    const world = kernelWorld();
    const { id, version } = await world.left('executed');
    world.settled = found;
    expect(await world.kernel.reconcileOrder('alice', `ta-${id}`)).toBe('accounted');
    expect(world.looks).toEqual([]);
    expect((await world.row(id)).version).toBe(version);
  });

  it.each<ProposalState>(['drafted', 'requested', 'approved', 'denied', 'cancelled', 'blocked'])(
    'is unexplained by one that is %s, which stays so',
    async (state) => {
      const world = kernelWorld();
      const { id, version } = await world.left(state);
      world.settled = found;
      expect(await world.kernel.reconcileOrder('alice', `ta-${id}`)).toBe('unexplained');
      expect((await world.row(id)).version).toBe(version);
    },
  );

  it('is unexplained where there is no such proposal, or it is somebody else’s', async () => {
    const world = kernelWorld();
    const { id } = await world.left('executed');
    expect(await world.kernel.reconcileOrder('alice', 'ta-none')).toBe('unexplained');
    expect(await world.kernel.reconcileOrder('bob', `ta-${id}`)).toBe('unexplained');
  });
});

describe('an order of a batch that is found at the broker after the batch was carried out', () => {
  /** One whose result says that something was placed which its desk knows of, or not. */
  async function carriedOut(settled: ExecutionOutcome<unknown>, options: WorldOptions = {}) {
    const world = kernelWorld(options);
    const row = await world.left('executed');
    world.isCorrected = (before, after) =>
      JSON.stringify(after).includes('placed') && !JSON.stringify(before).includes('placed');
    world.settled = settled;
    return { world, row };
  }
  const corrected: ExecutionOutcome<unknown> = { outcome: 'executed', result: { lines: ['placed'] } };

  it('corrects what the batch came to, and says that it was placed late', async () => {
    const excess = 'Mandate M-1 was used for more than you approved: 13 orders, not 12.';
    const { world, row } = await carriedOut(corrected, { mandateExcess: async () => excess });
    expect(await world.kernel.reconcileOrder('alice', row.subjectId)).toBe('accounted');
    expect(await world.row(row.id)).toMatchObject({
      ...{ state: 'executed', result: { lines: ['placed'] } },
      reason: { code: 'placed_late', members: { excess } },
    });
    await settleDown(world);
    expect(world.told.at(-1)).toMatchObject({
      state: 'executed',
      text: expect.stringContaining('reached the broker later'),
    });
  });

  it.each<[string, ExecutionOutcome<unknown>]>([
    ['what it said before', { outcome: 'executed', result: { lines: ['refused'] } }],
    ['a refusal', refused],
    ['nothing that anybody knows', unknown],
  ])('leaves the batch as it is where its desk tells of %s', async (_, settled) => {
    const { world, row } = await carriedOut(settled);
    expect(await world.kernel.reconcileOrder('alice', row.subjectId)).toBe('accounted');
    expect(await world.row(row.id)).toEqual(row);
  });
});

describe('what was kept ready for a proposal', () => {
  const settle = async (world: KernelWorld, end: () => Promise<unknown>) => {
    await end();
    await settleDown(world);
    return world.abandoned;
  };

  it('is given up when it is withdrawn', async () => {
    const world = kernelWorld();
    const { id, subjectId } = await world.propose();
    expect(await settle(world, () => world.kernel.withdraw('alice', id))).toEqual([[subjectId, 'alice']]);
  });

  const busy = { outcome: 'not_taken', refusal: new HttpProblem(503, 'broker_busy', 'busy') } as const;
  const no = { outcome: 'refused', refusal: new HttpProblem(422, 'broker_rejected', 'no') } as const;
  it.each<[string, ProposalState, WorldOptions['answers'], readonly ExecutionOutcome<unknown>[]]>([
    ['its owner denies it', 'denied', [{ status: 'denied' }], []],
    ['nobody decides in time', 'expired', [], []],
    ['its desk refuses it', 'blocked', ['approved'], [no]],
    ['its approval runs out while the broker is busy', 'expired', ['approved'], Array(1_000).fill(busy)],
  ])('is given up when %s', async (_, state, answers, steps) => {
    const world = kernelWorld({ answers: [...(answers ?? [])] });
    world.steps.push(...steps);
    const { id, subjectId } = await world.propose('5', { ttl: 60 });
    expect(await settle(world, () => world.until(id, state))).toEqual([[subjectId, 'alice']]);
  });

  it('is kept while it is carried out, is carried out, or may have been', async () => {
    const world = kernelWorld({ answers: ['approved', 'approved'] });
    const first = await world.propose('5');
    expect(await settle(world, () => world.until(first.id, 'executed'))).toEqual([]);
    world.steps.push(...Array(1_000).fill(unknown));
    const second = await world.propose('6');
    expect(await settle(world, () => world.until(second.id, 'unknown'))).toEqual([]);
  });
});
