import type { ReportedChange, ResultChangeStream } from '../../../approval/kind.ts';
import type { Clock } from '../../../machine/clock.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import type { AccountHolder, OpenAccount, OpenAccountFor } from '../accounts.ts';
import type { TradeUpdateListener } from '../broker.ts';

/** First delay before reconnecting, in milliseconds. The delay doubles each time, up to {@link LONGEST_PAUSE_MS}. */
const MIN_RECONNECT_DELAY_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A connection that lasted this long resets the reconnect delay. */
const STABLE_CONNECTION_MS = 10_000;
/** Milliseconds between checks that the account is still accessible, because its key pair may have been revoked. */
const ACCESS_CHECK_INTERVAL_MS = 60_000;

interface AccountListener extends TradeUpdateListener {
  /** Called when the connection ends. Until the next connection, updates are missed. */
  lost(): void;
}

interface AccountUpdatesOptions {
  /** Opens the account. @throws {HttpProblem} the same problems as `OpenAccountFor` */
  readonly open: () => Promise<OpenAccount>;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
  /** Returns a number from 0 to 1 that varies the delay, so that many gateways don't reconnect at the same time. */
  readonly random?: () => number;
}

/** Keeps a connection open until `signal` aborts. Returns immediately if the broker does not push updates. */
async function listenToAccount(
  listener: AccountListener,
  signal: AbortSignal,
  options: AccountUpdatesOptions,
): Promise<void> {
  const { clock, random = Math.random } = options;
  let failures = 0;
  while (!signal.aborted) {
    const stood = await runConnection(listener, signal, options);
    if (stood === undefined) return;
    failures = stood >= STABLE_CONNECTION_MS ? 0 : failures + 1;
    const pause = Math.min(MIN_RECONNECT_DELAY_MS * 2 ** Math.max(0, failures - 1), LONGEST_PAUSE_MS);
    await clock.sleep(pause * (0.75 + random() / 2), signal).catch(() => undefined);
  }
}

/** Returns how long the connection received updates, in milliseconds; undefined if the broker does not push updates. */
async function runConnection(
  listener: AccountListener,
  signal: AbortSignal,
  { open, clock, failed }: AccountUpdatesOptions,
): Promise<number | undefined> {
  const ended = new AbortController();
  const end = () => ended.abort();
  // Not `AbortSignal.any`, because a long-lived signal keeps a reference to each signal that is derived from it.
  signal.addEventListener('abort', end);
  let stoodFrom: number | undefined;
  try {
    const account = await open();
    if (account.tradeUpdates === undefined) return undefined;
    void endWhenAccessEnds(open, clock, ended.signal, end);
    await account.tradeUpdates(ended.signal, {
      live() {
        stoodFrom = clock.now();
        listener.live();
      },
      update: (update) => listener.update(update),
    });
  } catch (error) {
    // Ignores an HttpProblem, because orders are polled while there is no connection, and polling reports the problem.
    if (!(error instanceof HttpProblem)) failed(error);
  } finally {
    signal.removeEventListener('abort', end);
    end();
    if (stoodFrom !== undefined) listener.lost();
  }
  return stoodFrom === undefined ? 0 : clock.now() - stoodFrom;
}

/** Ends a connection when its account is no longer accessible. */
async function endWhenAccessEnds(
  open: AccountUpdatesOptions['open'],
  clock: Clock,
  signal: AbortSignal,
  end: () => void,
): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(ACCESS_CHECK_INTERVAL_MS, signal);
      await open();
    } catch (error) {
      // A 5xx, such as an unreachable provider, does not mean that access was revoked.
      const isPassing = error instanceof HttpProblem && error.status >= 500;
      if (signal.aborted || !isPassing) return end();
    }
  }
}

/** Maximum number of accounts with a connection. Orders of all other accounts are polled. */
const MAX_CONNECTIONS = 256;
/** How long a connection is kept after its last use, in milliseconds, because the next order often follows soon. */
const LINGER_MS = 30_000;
/** Minimum time between checks that are caused by updates about orders without a listener, in milliseconds. */
const OTHERS_CHECK_INTERVAL_MS = 15_000;

export interface OrderUpdateHub {
  /**
   * Listens to orders of an account. All listeners of an account share one connection. Returns undefined if there are
   * already too many connections.
   * @param who returns the owner, with a current token
   * @param ids the orders' broker IDs and client_order_ids
   */
  listen(who: () => AccountHolder, account: string, ids: ReadonlySet<string>): ResultChangeStream | undefined;
  close(): Promise<void>;
}

interface Listened {
  who: () => AccountHolder;
  readonly listeners: Set<ResultListener>;
  readonly stop: AbortController;
  readonly work: Promise<void>;
  isLive: boolean;
}

/*
 * Shares one update connection per account. An update is only a hint to check an order and is never stored or passed
 * on, so a late, duplicate or false update costs one read at worst. Whenever a connection begins or ends, every
 * listener checks its orders once.
 */
export function createOrderUpdateHub({
  brokerFor,
  clock,
  failed,
}: {
  readonly brokerFor: OpenAccountFor;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
}): OrderUpdateHub {
  const accounts = new Map<string, Listened>();
  const closing = new AbortController();

  const forget = (key: string, listened: Listened): void => {
    if (accounts.get(key) === listened) accounts.delete(key);
  };

  const begin = (key: string, who: () => AccountHolder, account: string): Listened => {
    const stop = new AbortController();
    const listeners = new Set<ResultListener>();
    const other = throttle(OTHERS_CHECK_INTERVAL_MS, clock, stop.signal, () => {
      for (const one of listeners) one.hear('other');
    });
    const stands = (isLive: boolean) => {
      listened.isLive = isLive;
      for (const one of listeners) one.hear('own');
    };
    const listener = {
      live: () => stands(true),
      lost: () => stands(false),
      update({ ids }: { readonly ids: readonly string[] }) {
        const about = [...listeners].filter((one) => one.isAbout(ids));
        for (const one of about) one.hear('own');
        if (about.length === 0) other();
      },
    };
    const open = () => brokerFor(listened.who(), account);
    // Starts listening in the next microtask, because `listened` is not assigned before.
    const work = Promise.resolve()
      .then(() => listenToAccount(listener, stop.signal, { open, clock, failed }))
      .catch(failed)
      .finally(() => forget(key, listened));
    const listened: Listened = { who, listeners, stop, work, isLive: false };
    accounts.set(key, listened);
    return listened;
  };

  const linger = async (key: string, listened: Listened): Promise<void> => {
    await clock.sleep(LINGER_MS, listened.stop.signal).catch(() => undefined);
    if (listened.listeners.size > 0) return;
    listened.stop.abort();
    forget(key, listened);
  };

  return {
    listen(who, account, ids) {
      const key = JSON.stringify([who().sub, account]);
      const known = accounts.get(key);
      if (closing.signal.aborted || (known === undefined && accounts.size >= MAX_CONNECTIONS)) return undefined;
      const listened = known ?? begin(key, who, account);
      listened.who = who;
      const listener = createResultListener(clock, ids, {
        isLive: () => listened.isLive,
        ended(one) {
          listened.listeners.delete(one);
          if (listened.listeners.size === 0) void linger(key, listened);
        },
      });
      listened.listeners.add(listener);
      // Checks the orders once, because they may have changed before this listener was added.
      if (listened.isLive) listener.hear('own');
      return listener;
    },
    async close() {
      closing.abort();
      const all = [...accounts.values()];
      for (const { stop } of all) stop.abort();
      await Promise.allSettled(all.map(({ work }) => work));
    },
  };
}

/** Returns a function that calls `act` at most once per `ms` milliseconds, and immediately if possible. */
function throttle(ms: number, clock: Clock, signal: AbortSignal, act: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  let isWaiting = false;
  return () => {
    if (isWaiting) return;
    const wait = last + ms - clock.now();
    if (wait <= 0) {
      last = clock.now();
      return act();
    }
    isWaiting = true;
    clock
      .sleep(wait, signal)
      .then(() => {
        last = clock.now();
        act();
      })
      .catch(() => undefined)
      .finally(() => {
        isWaiting = false;
      });
  };
}

interface ResultListener extends ResultChangeStream {
  isAbout(ids: readonly string[]): boolean;
  hear(what: Exclude<ReportedChange, 'nothing'>): void;
}

function createResultListener(
  clock: Clock,
  ids: ReadonlySet<string>,
  of: Pick<ResultChangeStream, 'isLive'> & { readonly ended: (listener: ResultListener) => void },
): ResultListener {
  let heard: ReportedChange = 'nothing';
  let waiting: AbortController | undefined;
  const listener: ResultListener = {
    isLive: of.isLive,
    isAbout: (updated) => updated.some((id) => ids.has(id)),
    hear(what) {
      if (heard !== 'own') heard = what;
      waiting?.abort();
    },
    async next(ms, signal) {
      signal.throwIfAborted();
      if (heard === 'nothing') {
        const ended = new AbortController();
        waiting = ended;
        const end = () => ended.abort();
        signal.addEventListener('abort', end);
        await clock.sleep(ms, ended.signal).catch(() => undefined);
        signal.removeEventListener('abort', end);
        signal.throwIfAborted();
      }
      const was = heard;
      // An update that arrives during a check causes the next check.
      heard = 'nothing';
      return was;
    },
    end: () => of.ended(listener),
  };
  return listener;
}
