import { NO_TOKEN } from '../../approval/access.ts';
import type { Clock } from '../../machine/clock.ts';
import { symbolMarketClock } from '../../trading/market-open.ts';
import type { MarketClock, Quote } from '../../trading/views.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';

/** How long a quote or market clock is reused for other accounts at the same broker, in milliseconds. */
const REUSE_MS = 5_000;
/** How long to wait before reading from a broker again after too many failed reads, in milliseconds. */
const REST_MS = 15_000;
/** Number of failed reads at one broker after which reading for many accounts stops. */
const MAX_FAILURES = 6;
const MAX_KNOWN_ACCOUNTS = 100_000;
const MAX_VALUES = 20_000;
const MAX_PARALLEL = 8;

export interface AccountSymbol {
  readonly sub: string;
  readonly account: string;
  readonly symbol: string;
  readonly isQuoteNeeded: boolean;
}

/** The market clock of an {@link AccountSymbol}, and its quote if one is needed. */
export interface KnownMarket {
  readonly market: MarketClock;
  readonly quote: Quote | undefined;
}

interface SharedMarketsOptions {
  readonly brokerFor: OpenAccountFor;
  readonly clock: Pick<Clock, 'now'>;
  /** Runs `work`, and returns undefined if it throws. */
  readonly attempt: <T>(work: () => Promise<T>) => Promise<T | undefined>;
}

/**
 * Reads market clocks and quotes for many accounts. A broker's clock and quotes are the same for all accounts, so they
 * are read only once. They are read through an account chosen at random, so that one account that always fails can't
 * block the others.
 */
export function createSharedMarkets({ brokerFor, clock, attempt }: SharedMarketsOptions) {
  /** The name of each account's broker. */
  const names = new Map<string, string>();
  const clocks = createRecentValues<MarketClock>(clock);
  const quotes = createRecentValues<Quote | undefined>(clock);
  const restUntil = new Map<string, number>();

  const open = async ({ sub, account }: AccountSymbol) => {
    const broker = await brokerFor({ sub, accessToken: NO_TOKEN }, account);
    if (names.size >= MAX_KNOWN_ACCOUNTS) names.clear();
    names.set(keyOf(sub, account), broker.at.name);
    return broker;
  };
  const nameOf = ({ sub, account }: AccountSymbol) => names.get(keyOf(sub, account));

  /** Reads the clock and quotes through one account. Returns false if the account is no longer at this broker. */
  const readThrough = async (
    one: AccountSymbol | undefined,
    name: string,
    symbols: readonly string[],
    oldest: number,
  ): Promise<boolean> => {
    const broker = one && (await open(one));
    if (broker?.at.name !== name) return false;
    const market = clocks.since(oldest, name)?.value ?? clocks.set(name, await broker.clock());
    const wanted = symbols.filter((symbol) => symbolMarketClock(symbol, market).is_open);
    if (wanted.length === 0) return true;
    const read = new Map((await broker.quotes(wanted)).map((quote) => [quote.symbol, quote]));
    for (const symbol of wanted) quotes.set(keyOf(name, symbol), read.get(symbol));
    return true;
  };

  const missingSymbols = (name: string, accounts: readonly AccountSymbol[], oldest: number): string[] => {
    const needed = accounts.flatMap(({ isQuoteNeeded, symbol }) => (isQuoteNeeded ? [symbol] : []));
    return [...new Set(needed)].filter((symbol) => !quotes.since(oldest, keyOf(name, symbol)));
  };

  /**
   * Reads a broker's clock and missing quotes. After a failure, reads each half of the symbols separately, because one
   * symbol may be the reason.
   */
  const readBroker = async (name: string, accounts: readonly AccountSymbol[], oldest: number): Promise<void> => {
    if ((restUntil.get(name) ?? 0) > clock.now()) return;
    const symbols = missingSymbols(name, accounts, oldest);
    const queue: (readonly string[])[] = symbols.length === 0 && clocks.since(oldest, name) ? [] : [symbols];
    let failures = 0;
    for (const part of queue) {
      const one = accounts[Math.floor(Math.random() * accounts.length)];
      const isRead = await attempt(() => readThrough(one, name, part, oldest));
      if (!isRead && ++failures < MAX_FAILURES) queue.push(...inHalves(part));
    }
    if (failures >= MAX_FAILURES && !clocks.since(oldest, name)) restUntil.set(name, clock.now() + REST_MS);
  };

  /** Returns the markets that could be read, by account and symbol. */
  return async <One extends AccountSymbol>(all: readonly One[]): Promise<Map<One, KnownMarket>> => {
    const oldest = clock.now() - REUSE_MS;
    const unknown = new Map(
      all.filter((one) => nameOf(one) === undefined).map((one) => [keyOf(one.sub, one.account), one]),
    );
    await forEachInParallel([...unknown.values()], (one) => attempt(() => open(one)));
    for (const [name, accounts] of Map.groupBy(all, nameOf)) {
      if (name !== undefined) await readBroker(name, accounts, oldest);
    }
    return new Map(
      all.flatMap((one) => {
        const name = nameOf(one) ?? '';
        const market = clocks.since(oldest, name)?.value;
        const quote = quotes.since(oldest, keyOf(name, one.symbol))?.value;
        return market === undefined ? [] : [[one, { market, quote }] as const];
      }),
    );
  };
}

function createRecentValues<T>(clock: Pick<Clock, 'now'>) {
  const values = new Map<string, { readonly at: number; readonly value: T }>();
  return {
    since(oldest: number, key: string): { readonly value: T } | undefined {
      const found = values.get(key);
      return found !== undefined && found.at >= oldest ? found : undefined;
    },
    set(key: string, value: T): T {
      if (values.size >= MAX_VALUES) values.clear();
      values.set(key, { at: clock.now(), value });
      return value;
    },
  };
}

/** Runs `work` for each item, for at most {@link MAX_PARALLEL} items at a time. */
export async function forEachInParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  const next = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: MAX_PARALLEL }, next));
}

/** Returns the two halves of a list. A list of fewer than two items is returned whole. */
function inHalves<T>(items: readonly T[]): (readonly T[])[] {
  const half = Math.ceil(items.length / 2);
  return half < items.length ? [items.slice(0, half), items.slice(half)] : [items];
}

const keyOf = (...names: readonly string[]): string => JSON.stringify(names);
