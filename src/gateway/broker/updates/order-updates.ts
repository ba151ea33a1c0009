import type { Heard, ResultNews } from '../../../approval/kind.ts';
import type { Clock } from '../../../machine/clock.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { OpenAccount, OpenAccountOf, WhoseAccount } from '../accounts.ts';
import type { UpdateListener } from '../broker.ts';

/** After a connection ended, milliseconds: twice as long each time, up to the last. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A connection that stood for so long was a good one. */
const GOOD_MS = 10_000;
/** How often it is looked whether what opened the account still would, milliseconds: a key pair may be taken back. */
const OPENS_MS = 60_000;

interface AccountListener extends UpdateListener {
  /** What happens from now on is missed. */
  lost(): void;
}

interface AccountUpdatesOptions {
  /** The account, by what opens it at this moment. @throws {Refusal} as `OpenAccountOf` */
  readonly open: () => Promise<OpenAccount>;
  readonly clock: Clock;
  /** Told of what nobody foresaw. */
  readonly failed: (error: unknown) => void;
  /** From 0 to 1: many gateways must not come back at the same moment. */
  readonly random?: () => number;
}

/** Listens to one account until `signal` aborts, by one connection after the other; not at all where its broker tells nothing. */
async function listenToAccount(
  listener: AccountListener,
  signal: AbortSignal,
  options: AccountUpdatesOptions,
): Promise<void> {
  const { clock, random = Math.random } = options;
  let failures = 0;
  while (!signal.aborted) {
    const stood = await oneConnection(listener, signal, options);
    if (stood === undefined) return;
    failures = stood >= GOOD_MS ? 0 : failures + 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1), LONGEST_PAUSE_MS);
    await clock.sleep(pause * (0.75 + random() / 2), signal).catch(() => undefined);
  }
}

/** @returns how long it stood, milliseconds; undefined where there is nothing to listen to */
async function oneConnection(
  listener: AccountListener,
  signal: AbortSignal,
  { open, clock, failed }: AccountUpdatesOptions,
): Promise<number | undefined> {
  const ended = new AbortController();
  const end = () => ended.abort();
  // By hand rather than by `AbortSignal.any`, of which a signal that lives for long keeps a trace.
  signal.addEventListener('abort', end);
  let stoodFrom: number | undefined;
  try {
    const account = await open();
    if (account.tradeUpdates === undefined) return undefined;
    void whileItOpens(open, clock, ended.signal, end);
    await account.tradeUpdates(ended.signal, {
      standing() {
        stoodFrom = clock.now();
        listener.standing();
      },
      update: (update) => listener.update(update),
    });
  } catch (error) {
    // Until it stands the orders are asked about: that says what is wrong, where anything is.
    if (!(error instanceof Refusal)) failed(error);
  } finally {
    signal.removeEventListener('abort', end);
    end();
    if (stoodFrom !== undefined) listener.lost();
  }
  return stoodFrom === undefined ? 0 : clock.now() - stoodFrom;
}

/** Ends a connection that its account's owner could not open any more. */
async function whileItOpens(
  open: AccountUpdatesOptions['open'],
  clock: Clock,
  signal: AbortSignal,
  end: () => void,
): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(OPENS_MS, signal);
      await open();
    } catch (error) {
      // A provider that is out of reach takes nothing back.
      const isPassing = error instanceof Refusal && error.status >= 500;
      if (signal.aborted || !isPassing) return end();
    }
  }
}

/** Accounts that are listened to at once; the orders of any more are asked about. */
const MOST_ACCOUNTS = 256;
/** How long a connection is kept that nobody needs, milliseconds: the next order often follows soon. */
const LINGER_MS = 30_000;
/** Between two looks at everything because of what nobody here waits for, milliseconds: others may trade there, too. */
const OTHER_APART_MS = 15_000;

/** What the brokers tell by themselves of people's orders. */
export interface OrderUpdates {
  /**
   * Listens to orders of an account. Nobody's account is opened for that twice: whoever listens shares one connection.
   * @param who whose it is, with whatever token of theirs is at hand
   * @param ids the orders', as the broker has them and as we do
   */
  listen(who: () => WhoseAccount, account: string, ids: ReadonlySet<string>): ResultNews | undefined;
  close(): Promise<void>;
}

/** An account that is listened to. */
interface Listened {
  who: () => WhoseAccount;
  readonly listeners: Set<ResultListener>;
  readonly stop: AbortController;
  readonly work: Promise<void>;
  isStanding: boolean;
}

/*
 * What a broker tells is a hint that says "look": nothing of it is kept or passed on. So it may be late, doubled, false or
 * about somebody else's order, and the worst that follows is a read. After each gap everybody looks once.
 */
export function createOrderUpdates({
  brokerFor,
  clock,
  failed,
}: {
  readonly brokerFor: OpenAccountOf;
  readonly clock: Clock;
  /** Told of what nobody foresaw. */
  readonly failed: (error: unknown) => void;
}): OrderUpdates {
  const accounts = new Map<string, Listened>();
  const closing = new AbortController();

  const forget = (key: string, listened: Listened): void => {
    if (accounts.get(key) === listened) accounts.delete(key);
  };

  const begin = (key: string, who: () => WhoseAccount, account: string): Listened => {
    const stop = new AbortController();
    const listeners = new Set<ResultListener>();
    const other = atMostEvery(OTHER_APART_MS, clock, stop.signal, () => {
      for (const one of listeners) one.hear('other');
    });
    const stands = (isStanding: boolean) => {
      listened.isStanding = isStanding;
      for (const one of listeners) one.hear('own');
    };
    const listener = {
      standing: () => stands(true),
      lost: () => stands(false),
      update({ ids }: { readonly ids: readonly string[] }) {
        const about = [...listeners].filter((one) => one.isAbout(ids));
        for (const one of about) one.hear('own');
        if (about.length === 0) other();
      },
    };
    const open = () => brokerFor(listened.who(), account);
    // It begins a moment later: what it tells of stands by then.
    const work = Promise.resolve()
      .then(() => listenToAccount(listener, stop.signal, { open, clock, failed }))
      .catch(failed)
      .finally(() => forget(key, listened));
    const listened: Listened = { who, listeners, stop, work, isStanding: false };
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
      if (closing.signal.aborted || (known === undefined && accounts.size >= MOST_ACCOUNTS)) return undefined;
      const listened = known ?? begin(key, who, account);
      listened.who = who;
      const listener = resultListener(clock, ids, {
        isStanding: () => listened.isStanding,
        ended(one) {
          listened.listeners.delete(one);
          if (listened.listeners.size === 0) void linger(key, listened);
        },
      });
      listened.listeners.add(listener);
      // Whatever happened before is for the first look to find.
      if (listened.isStanding) listener.hear('own');
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

/** At once where the last time is long ago, else as soon as it is; once for all who asked meanwhile. */
function atMostEvery(ms: number, clock: Clock, signal: AbortSignal, act: () => void): () => void {
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

/** One who waits for what happens to some orders of an account. */
interface ResultListener extends ResultNews {
  /** Whether an update about these ids is about theirs. */
  isAbout(ids: readonly string[]): boolean;
  hear(what: Exclude<Heard, 'nothing'>): void;
}

function resultListener(
  clock: Clock,
  ids: ReadonlySet<string>,
  of: Pick<ResultNews, 'isStanding'> & { readonly ended: (listener: ResultListener) => void },
): ResultListener {
  let heard: Heard = 'nothing';
  let waiting: AbortController | undefined;
  const listener: ResultListener = {
    isStanding: of.isStanding,
    isAbout: (told) => told.some((id) => ids.has(id)),
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
        // Whatever ended the wait is told below.
        await clock.sleep(ms, ended.signal).catch(() => undefined);
        signal.removeEventListener('abort', end);
        signal.throwIfAborted();
      }
      const was = heard;
      // What is heard from now on, while whoever was told looks, is for the next time.
      heard = 'nothing';
      return was;
    },
    end: () => of.ended(listener),
  };
  return listener;
}
