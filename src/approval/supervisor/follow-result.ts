import type { Clock } from '../../machine/clock.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { KernelContext, ResultLook } from '../kernel-context.ts';
import type { Heard, Proposer, ResultNews } from '../kind.ts';

/** What to look at again where it may still change, milliseconds: soon after the order, then less and less often. */
const FOLLOW_WAITS_MS = [50, 100, 200, 400, 800, 1_500, 3_000, 5_000, 10_000, 20_000, 30_000] as const;
/** An open order is followed this long by itself where nobody tells of its changes; after that whoever looks asks. */
const FOLLOW_MS = 15 * 60_000;
/** Where its changes are told it is looked at so often nonetheless, milliseconds: who tells may have fallen silent. */
const TOLD_MS = 120_000;
/** After news that a look found nothing of, milliseconds: a broker's reads may lag behind what it tells. */
const LAG_WAITS_MS = [400, 1_500] as const;
/** Between a look and the next that news lead to, milliseconds; twice as long, up to the last, while they keep coming. */
const NEWS_APART_MS = { first: 50, longest: 2_000 } as const;
/** How long it may take until changes are told, milliseconds. */
const STANDS_WITHIN_MS = 30_000;

/**
 * Looks at an executed proposal's result where it may still change: when it is told that it did, else less and less often.
 * @param options.isResumed it was followed before, or placed by a process that is gone: it is followed again only where its
 *   changes are told
 * @throws the reason of `signal`
 */
export async function followResult(
  context: Pick<KernelContext, 'parts' | 'askerOf' | 'lookAtResult'>,
  id: string,
  { isResumed, signal }: { readonly isResumed: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { store, clock, kindOf } = context.parts;
  const first = await store.get(id);
  if (first?.state !== 'executed') return;
  const kind = kindOf(first.kind);
  const asker = context.askerOf(first.sub);
  if (kind.follow === undefined || asker === undefined) return;
  // A later session's token lives longer.
  const latest = (): Proposer => context.askerOf(first.sub) ?? asker;
  const look = async (): Promise<ResultLook | 'failed'> => {
    try {
      return await context.lookAtResult(id, latest());
    } catch (error) {
      // The broker is out of reach for a while: the next look may find it.
      if (!(error instanceof Refusal)) throw error;
      return 'failed';
    }
  };
  const news = kind.news?.(first.subject, first.result, latest);
  try {
    if (isResumed) {
      if (news === undefined) return;
      await news.next(STANDS_WITHIN_MS, signal);
      // Whatever happened before that is for the first look to find.
      if (!news.isStanding() || (await look()) === 'over') return;
    }
    await follow(clock, news, look, signal);
  } finally {
    news?.end();
  }
}

async function follow(
  clock: Clock,
  news: ResultNews | undefined,
  look: () => Promise<ResultLook | 'failed'>,
  signal: AbortSignal,
): Promise<void> {
  const rest = async (ms: number): Promise<Heard> => {
    if (news !== undefined) return await news.next(ms, signal);
    await clock.sleep(ms, signal);
    return 'nothing';
  };
  const untold = FOLLOW_WAITS_MS.values();
  let lag: Iterator<number> = [].values();
  let until = clock.now() + FOLLOW_MS;
  let apart: number = NEWS_APART_MS.first;
  let lookedAt = clock.now() - NEWS_APART_MS.longest;
  let came: ResultLook | 'failed' = 'same';
  while (clock.now() < until) {
    const isTold = news?.isStanding() === true && came !== 'failed';
    if (isTold) until = clock.now() + FOLLOW_MS;
    const heard = await rest(
      isTold ? (lag.next().value ?? TOLD_MS) : (untold.next().value ?? FOLLOW_WAITS_MS.at(-1) ?? 0),
    );
    if (heard !== 'nothing') {
      const since = clock.now() - lookedAt;
      if (since < apart) await clock.sleep(apart - since, signal);
      apart =
        since < NEWS_APART_MS.longest ? Math.min(apart * 2, NEWS_APART_MS.longest) : NEWS_APART_MS.first;
    }
    lookedAt = clock.now();
    came = await look();
    if (came === 'over') return;
    if (heard === 'own') lag = (came === 'same' ? LAG_WAITS_MS : []).values();
  }
}
