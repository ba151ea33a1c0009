import type { OrderClass } from '../../trading/order-classes.ts';
import { defined } from '../../values/defined.ts';
import { NotUnderstoodError, type WordReader } from './words.ts';

/*
 * Reads bracket legs: "buy 5 AAPL with a stop at 170 and take profit at 200", "sell 5 AAPL at 200 or stop 170". In a
 * purchase, a stop loss is a leg. In a sale, a stop loss is the order's own stop, unless the sentence has a take profit
 * too.
 */

/**
 * Terms of an order, by field. `market`, `stop_limit` and `limit` name an order type whose price is not known yet.
 * `may_be_total` means that the limit may be the price of all shares together, and `either` that the sentence has two
 * alternative prices. `exit_class` is the order class of the legs.
 */
export type SentenceTerms = Record<string, string | boolean>;

const profitWords = ['take profit', 'take-profit', 'tp', 'profit target', 'price target'] as const;
const lossWords = ['stop loss', 'stop-loss', 'a stop loss', 'a stop-loss'] as const;
const withStop = ['with a stop loss', 'with a stop-loss', 'with a stop', 'with stop loss', 'with stop'] as const;

/** Matches a clause after "and" that adds a leg. */
export const legAheadPattern =
  '\\s*(?:with\\s+)?(?:an?\\s+)?(?:take[- ]?profit|tp|(?:profit|price)\\s+target|stop)(?:[- ](?:loss|at|of|price|@))*\\s*\\$?\\d';

export function parseLeg(words: WordReader, side: 'buy' | 'sell'): SentenceTerms | undefined {
  if (words.take('and')) return {};
  for (const name of ['bracket', 'oco', 'oto'] satisfies OrderClass[]) {
    if (words.take(name)) return { exit_class: name };
  }
  if (words.takeAny(...profitWords)) return { take_profit_limit_price: readLegPrice(words, 'take profit') };
  if (side === 'sell') {
    const [or, next] = [words.peek(), words.peek(1)].map((word) => word.toLowerCase());
    const isEither = or === 'or' && ['a', 'at', 'stop', 'stop-loss', 'take', 'take-profit'].includes(next ?? '');
    return isEither && words.take('or') ? { either: true } : undefined;
  }
  if (!words.takeAny(...withStop, ...lossWords)) return undefined;
  const stop_loss_stop_price = readLegPrice(words, 'stop loss');
  if (!words.takeAny('limit', 'lmt', '/')) return { stop_loss_stop_price };
  return { stop_loss_stop_price, stop_loss_limit_price: words.price('limit price') };
}

function readLegPrice(words: WordReader, what: string): string {
  words.takeAny('price of', 'price at', 'price', 'at', '@', 'of');
  return words.price(what);
}

export function withLegs(side: 'buy' | 'sell', { exit_class, either, ...terms }: SentenceTerms): SentenceTerms {
  const found = side === 'buy' ? entryLegs(terms) : positionLegs(terms, either === true);
  if (exit_class === undefined || found.order_class === exit_class) return found;
  throw new NotUnderstoodError(
    exit_class === 'oco'
      ? 'An OCO order sells what you hold, at a take profit or at a stop.'
      : exit_class === 'bracket'
        ? 'A bracket order buys, with a take profit and a stop loss.'
        : 'An OTO order buys, with a take profit or a stop loss.',
    'For example: buy 5 AAPL limit 180 take profit 200 stop loss 170; sell 5 AAPL at 200 or stop 170.',
    'invalid_order',
  );
}

function entryLegs(terms: SentenceTerms): SentenceTerms {
  const { take_profit_limit_price: profit, stop_loss_stop_price: loss, stop_price, ...entry } = terms;
  if (profit === undefined && loss === undefined) return terms;
  // In an order with a take profit, the stop is always a leg.
  const stop = loss ?? stop_price;
  if (loss !== undefined && stop_price !== undefined) {
    throw new NotUnderstoodError('The order has two stops.', 'Give only one stop loss.', 'invalid_order');
  }
  return {
    ...entry,
    ...defined({ take_profit_limit_price: profit, stop_loss_stop_price: stop }),
    order_class: profit === undefined || stop === undefined ? 'oto' : 'bracket',
  };
}

function positionLegs(terms: SentenceTerms, either: boolean): SentenceTerms {
  const { take_profit_limit_price: named, limit_price, stop_price, ...rest } = terms;
  if (named === undefined && !either) return terms;
  const profit = named ?? limit_price;
  // A sale with a take profit but no stop is an ordinary limit order.
  if (stop_price === undefined && named !== undefined && limit_price === undefined && !either) {
    return { ...rest, limit_price: named };
  }
  if (profit === undefined || stop_price === undefined) {
    throw new NotUnderstoodError(
      'One of the order’s two prices is missing.',
      'Say "sell 5 AAPL at 200 or stop 170".',
      'invalid_order',
    );
  }
  const limit = named === undefined ? undefined : limit_price;
  return {
    ...rest,
    order_class: 'oco',
    take_profit_limit_price: profit,
    stop_loss_stop_price: stop_price,
    ...defined({ stop_loss_limit_price: limit }),
  };
}
