import type { Clock } from '../../machine/clock.ts';
import { extendLogContext } from '../../machine/log-context.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { KernelContext, ResultCheckOutcome } from '../kernel-context.ts';
import type { Proposer, ReportedChange, ResultChangeStream } from '../kind.ts';

/** Delays between checks of an open order, in milliseconds: short right after it was placed, then increasing. */
const FOLLOW_WAITS_MS = [50, 100, 200, 400, 800, 1_500, 3_000, 5_000, 10_000, 20_000] as const;
const MAX_FOLLOW_WAIT_MS = 30_000;
/**
 * How long an open order is polled if there is no stream of changes, in milliseconds. Afterwards, the order is
 * checked only when someone views it.
 */
const MAX_POLLING_MS = 15 * 60_000;
/** Delay between checks while the stream of changes is live, in milliseconds, in case the stream has gone silent. */
const LIVE_CHECK_INTERVAL_MS = 120_000;
/**
 * Delays before checking again if a check did not find the reported change, in milliseconds: the broker's reads may lag
 * behind its stream.
 */
const LAG_RETRY_DELAYS_MS = [400, 1_500] as const;
/**
 * Minimum interval between checks that are caused by reported changes, in milliseconds. It doubles from `first` up to
 * `longest` while changes keep coming.
 */
const NEWS_CHECK_INTERVAL_MS = { first: 50, longest: 2_000 } as const;
/** How long to wait for the stream of changes to become live, in milliseconds. */
const LIVE_TIMEOUT_MS = 30_000;

/**
 * Checks an executed proposal's result while it may still change: at each reported change, and otherwise at increasing
 * intervals.
 * @param options.isResumed true if following resumes, for example after a restart: the result is then followed only if
 *   a stream becomes live
 * @throws the reason of `signal`
 */
export async function followResult(
  context: Pick<KernelContext, 'parts' | 'latestSession' | 'checkResult'>,
  id: string,
  { isResumed, signal }: { readonly isResumed: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { store, clock, getKind } = context.parts;
  const first = await store.get(id);
  if (first?.state !== 'executed') return;
  extendLogContext({ trace: first.trace });
  const kind = getKind(first.kind);
  const session = context.latestSession(first.sub);
  if (kind.follow === undefined || session === undefined) return;
  // Prefers the token of a later session, because it expires later.
  const latest = (): Proposer => context.latestSession(first.sub) ?? session;
  const look = async (): Promise<ResultCheckOutcome | 'failed'> => {
    try {
      return await context.checkResult(id, latest());
    } catch (error) {
      // The broker is unreachable for now. The next check may succeed.
      if (!(error instanceof HttpProblem)) throw error;
      return 'failed';
    }
  };
  const news = kind.news?.(first.subject, first.result, latest);
  try {
    if (isResumed) {
      if (news === undefined) return;
      await news.next(LIVE_TIMEOUT_MS, signal);
      // The first check finds what changed before the stream was live.
      if (!news.isLive() || (await look()) === 'over') return;
    }
    await checkUntilOver(clock, news, look, signal);
  } finally {
    news?.end();
  }
}

async function checkUntilOver(
  clock: Clock,
  news: ResultChangeStream | undefined,
  look: () => Promise<ResultCheckOutcome | 'failed'>,
  signal: AbortSignal,
): Promise<void> {
  const waits = FOLLOW_WAITS_MS.values();
  const spacing = new CheckSpacing(clock);
  let lag: Iterator<number> = [].values();
  let until = clock.now() + MAX_POLLING_MS;
  let came: ResultCheckOutcome | 'failed' = 'same';
  while (clock.now() < until) {
    const isStreamed = news?.isLive() === true && came !== 'failed';
    if (isStreamed) until = clock.now() + MAX_POLLING_MS;
    const heard = await waitForNews(
      clock,
      news,
      isStreamed ? nextWait(lag, LIVE_CHECK_INTERVAL_MS) : nextWait(waits, MAX_FOLLOW_WAIT_MS),
      signal,
    );
    if (heard !== 'nothing') await spacing.wait(signal);
    spacing.looked();
    came = await look();
    if (came === 'over') return;
    if (heard === 'own') lag = (came === 'same' ? LAG_RETRY_DELAYS_MS : []).values();
  }
}

function nextWait(waits: Iterator<number>, otherwise: number): number {
  return waits.next().value ?? otherwise;
}

/** Waits for a reported change, or only sleeps if there is no stream of changes. */
async function waitForNews(
  clock: Clock,
  news: ResultChangeStream | undefined,
  ms: number,
  signal: AbortSignal,
): Promise<ReportedChange> {
  if (news !== undefined) return await news.next(ms, signal);
  await clock.sleep(ms, signal);
  return 'nothing';
}

/** Spaces out the checks that reported changes trigger: the more changes, the longer the interval. */
class CheckSpacing {
  readonly #clock: Clock;
  #apart: number = NEWS_CHECK_INTERVAL_MS.first;
  #lookedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lookedAt = clock.now() - NEWS_CHECK_INTERVAL_MS.longest;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const since = this.#clock.now() - this.#lookedAt;
    if (since < this.#apart) await this.#clock.sleep(this.#apart - since, signal);
    this.#apart =
      since < NEWS_CHECK_INTERVAL_MS.longest
        ? Math.min(this.#apart * 2, NEWS_CHECK_INTERVAL_MS.longest)
        : NEWS_CHECK_INTERVAL_MS.first;
  }

  looked(): void {
    this.#lookedAt = this.#clock.now();
  }
}
