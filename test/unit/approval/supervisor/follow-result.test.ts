import { describe, expect, it } from 'vitest';
import type { ResultCheckOutcome } from '../../../../src/approval/kernel-context.ts';
import type { KernelDeps } from '../../../../src/approval/kernel-deps.ts';
import type { Kind, Proposer, ReportedChange, ResultChangeStream } from '../../../../src/approval/kind.ts';
import { followResult } from '../../../../src/approval/supervisor/follow-result.ts';
import type { StoredProposal } from '../../../../src/store/proposal-store.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import { VirtualClock } from '../../../virtual-clock.ts';

const alice: Proposer = { sub: 'alice', clientId: 'trade-agent', accessToken: 'first' };
const MINUTE = 60_000;

/** Something that happens at a time after the order was placed, milliseconds: what is heard, or whether it stands now. */
type Happening = readonly [number, ReportedChange | 'stands' | 'lost'];

/**
 * Follows one order.
 * @param happenings in order of time; undefined where nobody tells anything
 * @param looks what each look comes to, in turn; `same` afterwards. The follower ends after `ms`
 */
async function follow(
  happenings: readonly Happening[] | undefined,
  {
    looks = [],
    ms,
    isResumed = false,
  }: { looks?: (ResultCheckOutcome | HttpProblem)[]; ms: number; isResumed?: boolean },
) {
  const clock = new VirtualClock();
  const began = clock.now();
  const looked: number[] = [];
  const end = new AbortController();
  const left = [...(happenings ?? [])];
  let stands = false;
  let ended = 0;
  const news: ResultChangeStream = {
    isLive: () => stands,
    async next(wait, signal) {
      const [first = Number.POSITIVE_INFINITY] = left[0] ?? [];
      const until = began + first - clock.now();
      await clock.sleep(Math.max(0, Math.min(wait, until)), signal);
      const now = clock.now() - began;
      const due = left.splice(0, left.filter(([at]) => at <= now).length).map(([, what]) => what);
      for (const what of due) if (what === 'stands' || what === 'lost') stands = what === 'stands';
      if (due.length === 0) return 'nothing';
      return due.every((what) => what === 'other') ? 'other' : 'own';
    },
    end: () => {
      ended += 1;
    },
  };
  const proposal = { id: 'p', sub: 'alice', state: 'executed', kind: 'order' } as StoredProposal;
  const parts: Partial<KernelDeps> = {
    store: { get: async () => proposal } as never,
    clock,
    getKind: () => ({ follow: async () => ({}), ...(happenings && { news: () => news }) }) as unknown as Kind,
  };
  const work = followResult(
    {
      parts: parts as KernelDeps,
      latestSession: () => alice,
      async checkResult() {
        looked.push(clock.now() - began);
        const came = looks.shift() ?? 'same';
        if (came instanceof HttpProblem) throw came;
        return came;
      },
    },
    'p',
    { isResumed, signal: end.signal },
  );
  const stop = clock.sleep(ms, end.signal).then(() => end.abort(new Error('over')));
  await clock.run(Promise.race([work, stop.then(() => work)]).catch(() => undefined));
  return { looked, ended: happenings === undefined ? undefined : ended };
}

/** Its changes are told from the start; a minute later one is, or that ends. */
const standsAnd = (what: Happening[1]): readonly Happening[] => [
  [10, 'stands'],
  [60_000, what],
];
const polled = [50, 150, 350, 750, 1_550, 3_050, 6_050, 11_050, 21_050, 41_050];

describe('what came of an order', () => {
  it('is asked for less and less often where nobody tells of it', async () => {
    expect((await follow(undefined, { ms: MINUTE })).looked).toEqual(polled);
    expect((await follow([], { ms: MINUTE })).looked).toEqual(polled);
  });

  it('is asked for a quarter of an hour, and no longer', async () => {
    const { looked, ended } = await follow([], { ms: 60 * MINUTE });
    expect(looked.at(-1)).toBeLessThanOrEqual(15.5 * MINUTE);
    expect(looked.length).toBeGreaterThan(30);
    expect(ended).toBe(1);
  });

  it('is looked at once its changes are told, twice more should reads lag, and then hardly ever, for as long as it is told', async () => {
    const { looked } = await follow([[10, 'stands']], { ms: 40 * MINUTE });
    expect(looked.slice(0, 3)).toEqual([10, 410, 1_910]);
    expect(looked.slice(3, 5)).toEqual([121_910, 241_910]);
    expect(looked.length).toBe(3 + 19);
  });

  it('is looked at when it is told, once where that shows it', async () => {
    const { looked } = await follow(standsAnd('own'), {
      looks: ['same', 'same', 'same', 'over'],
      ms: 5 * MINUTE,
    });
    expect(looked).toEqual([10, 410, 1_910, 60_000]);
  });

  it('is looked at for each part of a fill', async () => {
    const { looked } = await follow(
      [
        [10, 'stands'],
        [60_000, 'own'],
        [62_500, 'own'],
        [62_510, 'own'],
      ],
      { looks: ['same', 'same', 'same', 'changed', 'changed', 'over'], ms: 5 * MINUTE },
    );
    expect(looked.slice(3)).toEqual([60_000, 62_500, 62_550]);
  });

  it('is looked at again soon where the broker’s reads lag behind what it tells', async () => {
    const { looked } = await follow(standsAnd('own'), {
      looks: ['same', 'same', 'same', 'same', 'over'],
      ms: 5 * MINUTE,
    });
    expect(looked.slice(3)).toEqual([60_000, 60_400]);
  });

  it('is looked at once because of what is about something else', async () => {
    const { looked } = await follow(standsAnd('other'), { ms: 2 * MINUTE });
    expect(looked.slice(3)).toEqual([60_000]);
  });

  it('is not looked at for each of a thousand things told in a minute', async () => {
    const flood = Array.from({ length: 1_000 }, (_, n): Happening => [60_000 + n * 60, 'own']);
    const { looked } = await follow([[10, 'stands'], ...flood], { ms: 2 * MINUTE });
    expect(looked.slice(3).filter((at) => at < 2 * MINUTE).length).toBeLessThan(60);
  });

  it('is asked for again once nobody tells of it any more', async () => {
    const { looked } = await follow(standsAnd('lost'), { ms: 70_000 });
    expect(looked.slice(3)).toEqual([60_000, 60_100, 60_300, 60_700, 61_500, 63_000, 66_000]);
  });

  it('is asked for again where a look failed, though its changes are told', async () => {
    const busy = new HttpProblem(503, 'broker_busy', 'the broker is rate limiting requests');
    const { looked } = await follow(standsAnd('own'), {
      looks: ['same', 'same', 'same', busy, busy, 'over'],
      ms: 5 * MINUTE,
    });
    expect(looked.slice(3)).toEqual([60_000, 60_100, 60_300]);
  });

  it('is followed again only where its changes are told, beginning with a look', async () => {
    expect(await follow(undefined, { ms: MINUTE, isResumed: true })).toEqual({ looked: [] });
    expect(await follow([], { ms: MINUTE, isResumed: true })).toEqual({ looked: [], ended: 1 });
    const { looked } = await follow([[500, 'stands']], { ms: 3 * MINUTE, isResumed: true });
    expect(looked).toEqual([500, 120_500]);
  });

  it('is followed no more once it is over', async () => {
    const resumed = await follow([[500, 'stands']], { looks: ['over'], ms: 9 * MINUTE, isResumed: true });
    expect(resumed).toEqual({ looked: [500], ended: 1 });
  });
});
