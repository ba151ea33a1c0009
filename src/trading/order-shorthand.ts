import { cents } from './decimal.ts';
import { type OrderClass, orderClassWords } from './order-classes.ts';
import { orderField, orderFieldNames } from './order-fields.ts';

/** What of an order is in its shorthand: as it is asked for, or as the broker tells it, whose words may be any. */
export interface ShorthandFields {
  readonly side: string;
  readonly symbol: string;
  readonly qty?: string | undefined;
  readonly notional?: string | undefined;
  readonly type: string;
  readonly order_class?: string | undefined;
}

/**
 * The order in one line of a broker's shorthand, `BUY 5 AAPL LMT 180.00`; the amount form is `BUY USD 500.00 AAPL MKT`, and
 * one with exits `BUY 5 AAPL MKT TP 200.00 SL 170.00 BRACKET`.
 */
export function describeOrder(order: ShorthandFields): string {
  const { order_class, qty, notional, symbol, side, type } = order;
  const amount = qty ?? `USD ${cents(notional ?? '0')}`;
  const prices = orderFieldNames.flatMap((name) => {
    const value: unknown = Object.hasOwn(order, name) ? order[name as keyof ShorthandFields] : undefined;
    return typeof value === 'string' ? (orderField(name)?.shorthand?.(value) ?? []) : [];
  });
  return [
    side.toUpperCase(),
    amount,
    symbol,
    ...(type === 'market' ? ['MKT'] : []),
    ...prices,
    ...(order_class === undefined ? [] : [classWord(order_class)]),
  ].join(' ');
}

function classWord(name: string): string {
  return Object.hasOwn(orderClassWords, name)
    ? orderClassWords[name as OrderClass].shorthand
    : name.toUpperCase();
}
