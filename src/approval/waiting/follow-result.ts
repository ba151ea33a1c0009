import { Refusal } from '../../trading/refusal.ts';
import type { KernelParts } from '../kernel-parts.ts';
import type { Heard, Proposer, ResultNews } from '../kind.ts';

/** What a look at a result came to: nothing more will change, it did change, or it may later. */
export type ResultLook = 'over' | 'changed' | 'same';

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

interface Following {
  lookAtResult(id: string, asker: Proposer): Promise<ResultLook>;
  /** By person, with whose token their accounts may be asked about. */
  readonly askers: ReadonlyMap<string, Proposer>;
  /** It was followed before, or placed by a process that is gone: it is followed again only where its changes are told. */
  readonly isResumed?: boolean;
}

/** Looks at what came of it where it may still change: when it is told that it did, else less and less often. */
export async function followResult(
  parts: Pick<KernelParts, 'store' | 'clock' | 'kindOf'> & { readonly signal: AbortSignal },
  id: string,
  following: Following,
): Promise<void> {
  const first = await parts.store.get(id);
  if (first?.state !== 'executed') return;
  const kind = parts.kindOf(first.kind);
  const asker = following.askers.get(first.sub);
  if (kind.follow === undefined || asker === undefined) return;
  // A later session's token lives longer.
  const latest = () => following.askers.get(first.sub) ?? asker;
  const news = kind.news?.(first.subject, first.result, latest);
  try {
    if (following.isResumed !== true) return await follow(parts, news, () => look(following, id, latest()));
    if (news === undefined) return;
    await news.next(STANDS_WITHIN_MS, parts.signal);
    // Whatever happened before that is for the first look to find.
    if (!news.isStanding() || (await look(following, id, latest())) === 'over') return;
    await follow(parts, news, () => look(following, id, latest()));
  } finally {
    news?.end();
  }
}

/** `failed` where the broker is out of reach for a while: the next look may find it. */
async function look(following: Following, id: string, asker: Proposer): Promise<ResultLook | 'failed'> {
  try {
    return await following.lookAtResult(id, asker);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return 'failed';
  }
}

async function follow(
  { clock, signal }: { readonly clock: KernelParts['clock']; readonly signal: AbortSignal },
  news: ResultNews | undefined,
  lookNow: () => Promise<ResultLook | 'failed'>,
): Promise<void> {
  const rest = async (ms: number): Promise<Heard> => {
    if (news !== undefined) return await news.next(ms, signal);
    await clock.sleep(ms, signal);
    return 'nothing';
  };
  const untold = waits(FOLLOW_WAITS_MS);
  let lag = waits([]);
  let until = clock.now() + FOLLOW_MS;
  let apart: number = NEWS_APART_MS.first;
  let lookedAt = clock.now() - NEWS_APART_MS.longest;
  let came: ResultLook | 'failed' = 'same';
  while (clock.now() < until) {
    const isTold = news?.isStanding() === true && came !== 'failed';
    if (isTold) until = clock.now() + FOLLOW_MS;
    const heard = await rest(
      isTold ? (lag.next() ?? TOLD_MS) : (untold.next() ?? FOLLOW_WAITS_MS.at(-1) ?? 0),
    );
    if (heard !== 'nothing') {
      const since = clock.now() - lookedAt;
      if (since < apart) await clock.sleep(apart - since, signal);
      apart =
        since < NEWS_APART_MS.longest ? Math.min(apart * 2, NEWS_APART_MS.longest) : NEWS_APART_MS.first;
    }
    lookedAt = clock.now();
    came = await lookNow();
    if (came === 'over') return;
    if (heard === 'own') lag = waits(came === 'same' ? LAG_WAITS_MS : []);
  }
}

/** One after the other, then undefined. */
function waits(all: readonly number[]) {
  let at = 0;
  return { next: (): number | undefined => all[at++] };
}
