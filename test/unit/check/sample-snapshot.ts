import { checkPortfolio } from '../../../src/check/check.ts';
import { parseRules } from '../../../src/check/load-rules.ts';
import type { Snapshot } from '../../../src/check/snapshot.ts';
import type { RuleFiring } from '../../../src/store/check-store.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { addDays, newYorkDate, newYorkInstant, weekday } from '../../../src/trading/new-york-time.ts';
import type { Position, Quote } from '../../../src/trading/views.ts';
import { anAccount, aPosition, aQuote } from '../../fixtures/builders.ts';

/** Tuesday, 24 November 2026, noon in New York: Thanksgiving is on Thursday, and Friday is half a day. */
export const TUESDAY_NOON = newYorkInstant('2026-11-24', '12:00');

const at = new Date(TUESDAY_NOON).toISOString();
export const quote = (symbol: string, last: string, more: Partial<Quote> = {}): Quote =>
  aQuote({ symbol, bid: last, ask: last, last, previous_close: last, at, ...more });

export function position(symbol: string, qty: number, price: number, more: Partial<Position> = {}): Position {
  const value = (qty * price).toFixed(2);
  return aPosition({
    ...{ symbol, qty: String(qty), qty_available: String(qty), avg_entry_price: String(price) },
    ...{ current_price: String(price), lastday_price: String(price), market_value: value, cost_basis: value },
    ...{ unrealized_pl: '0', unrealized_plpc: '0', ...more },
  });
}

export const cash = (date: string, amount: string, more: Partial<Activity> = {}): Activity => ({
  id: `${date} ${amount}`,
  kind: amount.startsWith('-') ? 'withdrawal' : 'deposit',
  type: amount.startsWith('-') ? 'CSW' : 'CSD',
  at: new Date(newYorkInstant(date, '00:00')).toISOString(),
  symbol: null,
  side: null,
  qty: null,
  price: null,
  amount,
  ...more,
});

const EARLY = new Set(['2026-11-27', '2026-12-24']);
const HOLIDAYS = new Set(['2026-11-26', '2026-12-25']);

/** A world of 60 AAPL at 100 and 4,000 in cash, unless told otherwise. */
export function snapshot(more: Partial<Snapshot> = {}): Snapshot {
  const now = more.now ?? TUESDAY_NOON;
  const positions = more.positions ?? [position('AAPL', 60, 100)];
  const held = positions.reduce((sum, { market_value }) => sum + Number(market_value), 0);
  const cash = more.account?.cash ?? '4000.00';
  const equity = (held + Number(cash)).toFixed(2);
  return {
    now,
    account: anAccount({
      account: 'PA1',
      cash,
      equity,
      last_equity: equity,
      buying_power: cash,
      long_market_value: held.toFixed(2),
    }),
    positions,
    openOrders: [],
    clock: {
      timestamp: new Date(now).toISOString(),
      is_open: true,
      next_open: new Date(newYorkInstant('2026-11-25', '09:30')).toISOString(),
      next_close: new Date(newYorkInstant('2026-11-24', '16:00')).toISOString(),
    },
    calendar: Array.from({ length: 35 }, (_, index) => addDays(newYorkDate(now), index)).flatMap((date) =>
      weekday(date) === 0 || weekday(date) === 6 || HOLIDAYS.has(date)
        ? []
        : [{ date, open: '09:30', close: EARLY.has(date) ? '13:00' : '16:00' }],
    ),
    quotes: new Map(positions.map(({ symbol, current_price }) => [symbol, quote(symbol, current_price)])),
    noPrice: [],
    closes: new Map(),
    history: [],
    activities: [],
    notes: [],
    ...more,
  };
}

export const rules = (...each: string[]): string => `rules:\n${each.map((rule) => `  - {${rule}}\n`).join('')}`;

/** A gateway that answers what a snapshot has, and nothing else, unless told otherwise. */
export const gatewayOf = (seen: Snapshot, more: object = {}) =>
  ({
    account: async () => seen.account,
    positions: async () => seen.positions,
    orders: async () => [],
    clock: async () => seen.clock,
    valueHistory: async () => [],
    calendar: async () => [],
    activities: async () => [],
    quotes: async () => [],
    ...more,
  }) as unknown as GatewayClient;
export const FORGETFUL = {
  closes: { get: async () => undefined, getAll: async () => new Map(), put: async () => undefined },
  activities: () => ({ get: async () => undefined, put: async () => undefined }),
};

/** Runs checks one after the other, each remembering the one before. @param memory shared by checks of several files */
export async function checks(text: string, memory: { fired: readonly RuleFiring[] } = { fired: [] }) {
  const file = await parseRules(text, 'rules.yaml');
  const run = (seen: Snapshot, suggest?: Parameters<typeof checkPortfolio>[0]['suggest']) => {
    const done = checkPortfolio({
      file,
      rulesFile: 'rules.yaml',
      snapshot: seen,
      memory: { fired: () => [...memory.fired], mark: () => undefined, proposed: () => undefined },
      sectorOf: () => undefined,
      ...(suggest && { suggest }),
    });
    memory.fired = done.firing.states;
    return done;
  };
  const found = (seen: Snapshot): string[] =>
    run(seen).result.findings.map(({ rule, subject }) => (subject === '' ? rule : `${rule} ${subject}`));
  return { file, run, found };
}
