import type { MandateTerms } from '../../../app/mandates.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { formatUtcSeconds } from '../../../machine/clock.ts';
import type { Cadence } from '../../../trading/mandate/cadence.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';

const cadences: Readonly<Record<string, Cadence>> = {
  day: 'daily',
  week: 'weekly',
  month: 'monthly',
  demand: 'on_demand',
};

export interface AddMandateOptions {
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

/** Builds a mandate request, which the schema validates later. @throws {TradeAgentError} `usage` */
export function parseMandateTerms(symbols: readonly string[], options: AddMandateOptions): MandateTerms {
  const { perOrder, perDay, total, orders, until, from, every, times, side, types, timeInForce } = options;
  const { price, slippage, replaces } = options;
  const terms = {
    symbols: symbols.length === 0 ? undefined : splitWords(symbols.join(',')).map((one) => one.toUpperCase()),
    max_order_notional: perOrder,
    max_day_notional: perDay,
    max_total_notional: total,
    max_orders: orders === undefined ? undefined : parseWholeNumber('--orders', orders),
    expires_at: until === undefined ? undefined : parseInstant('--until', until, 'end'),
    not_before: from === undefined ? undefined : parseInstant('--from', from, 'start'),
    cadence: every === undefined ? undefined : parseCadence(every),
    orders_per_slot: times === undefined ? undefined : parseWholeNumber('--times', times),
    sides: side === undefined ? undefined : side === 'both' ? ['buy', 'sell'] : [side],
    order_types: types === undefined ? undefined : splitWords(types),
    times_in_force: timeInForce === undefined ? undefined : splitWords(timeInForce),
    price: price === undefined ? undefined : Object.fromEntries(price.map(parsePriceBand)),
    max_slippage: slippage,
    replaces,
  };
  return Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined)) as MandateTerms;
}

/** Converts the value of `--every` to a cadence. @throws {TradeAgentError} `usage` for a day of the week */
function parseCadence(every: string): Cadence {
  const found = cadences[every];
  if (found !== undefined) return found;
  throw new TradeAgentError('usage', `--every ${every} only works with standing orders`, {
    hint: 'Add the order: --buy VTI --amount 200. Mandates for your own programs are daily, weekly, monthly or on demand.',
  });
}

/** Parses a price band such as `AAPL=100..250`. Either price may be omitted. */
function parsePriceBand(text: string): [string, { min?: string; max?: string }] {
  const [, symbol = '', min = '', max = ''] = /^([^=]+)=([\d.]*?)\.\.([\d.]*)$/.exec(text) ?? [];
  if (symbol === '' || (min === '' && max === '')) {
    throw new TradeAgentError('usage', `--price can't be "${text}"`, {
      hint: 'Use SYMBOL=FROM..TO, in dollars per share: AAPL=150..190, or AAPL=..190 for a maximum only.',
    });
  }
  return [symbol.toUpperCase(), { ...(min === '' ? {} : { min }), ...(max === '' ? {} : { max }) }];
}

/** Converts a time, or the start or end of a New York date, to RFC 3339 in UTC with seconds. */
function parseInstant(option: string, text: string, edge: 'start' | 'end'): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) {
    const midnight = newYorkInstant(edge === 'end' ? addDays(text, 1) : text, '00:00');
    if (newYorkDate(edge === 'end' ? midnight - 1 : midnight) === text) return formatUtcSeconds(midnight);
  }
  const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return formatUtcSeconds(at);
  throw new TradeAgentError('usage', `${option} can't be "${text}"`, {
    hint: 'Use a date in New York such as 2026-12-20, or a time such as 2026-12-20T21:00:00Z.',
  });
}

function parseWholeNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new TradeAgentError('usage', `${option} can't be "${text}"`, {
    hint: 'Choose a number from 1 to 9999.',
  });
}

const splitWords = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');
