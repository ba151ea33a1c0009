import type { MandateTerms } from '../../../app/mandates.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import {
  DEFAULT_STANDING_ORDER_TIME,
  type Recurrence,
  recurrences,
  type StandingOrderTerms,
} from '../../../trading/mandate/standing-order.ts';
import type { AddMandateOptions } from './mandate-terms.ts';

/** Builds the standing order from `--buy` or `--sell`. @throws {TradeAgentError} `usage` */
export function parseStandingOrder(
  symbols: readonly string[],
  options: AddMandateOptions,
): Pick<MandateTerms, 'standing'> | undefined {
  const { buy, sell, qty, amount, limit, at, below, above } = options;
  if (buy === undefined && sell === undefined) {
    const stray = Object.entries({ qty, amount, limit, at, below, above }).find(([, value]) => value !== undefined);
    if (stray === undefined) return undefined;
    throw usageError(`--${stray[0]} only works with standing orders`, 'Add the order: --buy VTI --amount 200.');
  }
  if ((buy !== undefined && sell !== undefined) || symbols.length > 0) {
    throw usageError('a standing order can only have one symbol', 'Request a separate mandate for each of the others.');
  }
  if (qty !== undefined && amount !== undefined) {
    throw usageError("--qty and --amount can't be combined", 'Pass shares (--qty) or dollars (--amount).');
  }
  const order: StandingOrderTerms['order'] = {
    symbol: (buy ?? sell ?? '').toUpperCase(),
    ...(qty === undefined ? {} : { qty: plainAmount(qty) }),
    ...(amount === undefined ? {} : { notional: plainAmount(amount) }),
    side: buy === undefined ? 'sell' : 'buy',
    type: limit === undefined ? 'market' : 'limit',
    ...(limit === undefined ? {} : { limit_price: plainAmount(limit) }),
    time_in_force: 'day',
  };
  return { standing: { order, when: parseSchedule(options) } };
}

function parseSchedule({ every, at, below, above }: AddMandateOptions): StandingOrderTerms['when'] {
  const said = [every, below, above].filter((value) => value !== undefined);
  if (said.length !== 1) {
    throw usageError(
      said.length === 0 ? 'the standing order needs a time or a price' : 'use only one of --every, --below and --above',
      'Pass --every monday, --below 100 or --above 100.',
    );
  }
  if (every === undefined) {
    if (at !== undefined) throw usageError('--at only works with --every', 'Leave out --at.');
    return below === undefined
      ? { price: 'above', at: plainAmount(above ?? '') }
      : { price: 'below', at: plainAmount(below) };
  }
  if (isDay(every)) return { every, at: (at ?? DEFAULT_STANDING_ORDER_TIME).padStart(5, '0') };
  throw usageError(`--every can't be "${every}" here`, `Choose one of ${recurrences.join(', ')}.`);
}

const plainAmount = (text: string): string => text.replace(/^\$/, '').replaceAll(',', '');
const isDay = (text: string): text is Recurrence => (recurrences as readonly string[]).includes(text);

function usageError(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', message, { hint });
}
