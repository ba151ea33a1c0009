import type { Clock } from '../../../machine/clock.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { OpenAccount } from '../accounts.ts';
import type { UpdateListener } from '../broker.ts';

/** After a connection ended, milliseconds: twice as long each time, up to the last. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A connection that stood for so long was a good one. */
const GOOD_MS = 10_000;
/** How often it is looked whether what opened the account still would, milliseconds: a key pair may be taken back. */
const OPENS_MS = 60_000;

export interface AccountListener extends UpdateListener {
  /** What happens from now on is missed. */
  lost(): void;
}

export interface AccountUpdatesOptions {
  /** The account, by what opens it at this moment. @throws {Refusal} as `OpenAccountOf` */
  readonly open: () => Promise<OpenAccount>;
  readonly clock: Clock;
  /** Told of what nobody foresaw. */
  readonly failed: (error: unknown) => void;
  /** From 0 to 1: many gateways must not come back at the same moment. */
  readonly random?: () => number;
}

/** Listens to one account until `signal` aborts, by one connection after the other; not at all where its broker tells nothing. */
export async function listenToAccount(
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
