import type { MandateTerms } from '../../../app/mandates.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { utcSeconds } from '../../../machine/clock.ts';
import type { Cadence } from '../../../trading/mandate/cadence.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';

const periods: Readonly<Record<string, Cadence>> = {
  day: 'daily',
  week: 'weekly',
  month: 'monthly',
  demand: 'on_demand',
};

export interface AddOptions {
  readonly perOrder?: string;
  readonly perDay?: string;
  readonly total?: string;
  readonly orders?: string;
  readonly until?: string;
  readonly from?: string;
  readonly every?: string | undefined;
  readonly times?: string;
  readonly side?: 'buy' | 'sell' | 'both';
  readonly types?: string;
  readonly timeInForce?: string;
  readonly price?: readonly string[];
  readonly slippage?: string;
  readonly replaces?: string;
  readonly buy?: string;
  readonly sell?: string;
  readonly qty?: string;
  readonly amount?: string;
  readonly limit?: string;
  readonly at?: string;
  readonly below?: string;
  readonly above?: string;
}

/** The gateway's request; the schema says what is wrong with it. @throws {TradeAgentError} `usage` */
export function mandateTerms(symbols: readonly string[], options: AddOptions): MandateTerms {
  const { perOrder, perDay, total, orders, until, from, every, times, side, types, timeInForce } = options;
  const { price, slippage, replaces } = options;
  const terms = {
    symbols: symbols.length === 0 ? undefined : words(symbols.join(',')).map((one) => one.toUpperCase()),
    max_order_notional: perOrder,
    max_day_notional: perDay,
    max_total_notional: total,
    max_orders: orders === undefined ? undefined : wholeNumber('--orders', orders),
    expires_at: until === undefined ? undefined : instant('--until', until, 'end'),
    not_before: from === undefined ? undefined : instant('--from', from, 'start'),
    cadence: every === undefined ? undefined : cadenceOf(every),
    orders_per_slot: times === undefined ? undefined : wholeNumber('--times', times),
    sides: side === undefined ? undefined : side === 'both' ? ['buy', 'sell'] : [side],
    order_types: types === undefined ? undefined : words(types),
    times_in_force: timeInForce === undefined ? undefined : words(timeInForce),
    price: price === undefined ? undefined : Object.fromEntries(price.map(band)),
    max_slippage: slippage,
    replaces,
  };
  return Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined)) as MandateTerms;
}

/** @throws {TradeAgentError} `usage` for a day of the week */
function cadenceOf(every: string): Cadence {
  const found = periods[every];
  if (found !== undefined) return found;
  throw new TradeAgentError('usage', `--every ${every} is for what the gateway orders by itself`, {
    hint: 'Say what: --buy VTI --amount 200. A mandate for your own programs is used every day, week or month, or on demand.',
  });
}

/** `AAPL=100..250`; either end may be missing. */
function band(text: string): [string, { min?: string; max?: string }] {
  const [, symbol = '', min = '', max = ''] = /^([^=]+)=([\d.]*?)\.\.([\d.]*)$/.exec(text) ?? [];
  if (symbol === '' || (min === '' && max === '')) {
    throw new TradeAgentError('usage', `--price can't be "${text}"`, {
      hint: 'Write SYMBOL=FROM..TO, dollars a share: AAPL=150..190, or AAPL=..190 for a price from above alone.',
    });
  }
  return [symbol.toUpperCase(), { ...(min === '' ? {} : { min }), ...(max === '' ? {} : { max }) }];
}

/** A day in New York (its start or end), or an instant. RFC 3339, UTC to the second. */
function instant(option: string, text: string, edge: 'start' | 'end'): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) {
    const midnight = newYorkInstant(edge === 'end' ? addDays(text, 1) : text, '00:00');
    if (newYorkDate(edge === 'end' ? midnight - 1 : midnight) === text) return utcSeconds(midnight);
  }
  const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return utcSeconds(at);
  throw new TradeAgentError('usage', `${option} can't be "${text}"`, {
    hint: 'Give a day in New York, such as 2026-12-20, or an instant such as 2026-12-20T21:00:00Z.',
  });
}

function wholeNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new TradeAgentError('usage', `${option} can't be "${text}"`, {
    hint: 'Give a number from 1 to 9999.',
  });
}

const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');
