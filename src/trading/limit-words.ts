import { dollars, exactPercent } from './amounts.ts';
import { decimalString } from './decimal.ts';

interface LimitWords {
  readonly label: string;
  readonly shown: (value: string) => string;
}

const isDecimal = (value: string) => decimalString.safeParse(value).success;
const amount = (value: string) => (isDecimal(value) ? dollars(value) : value);
const fraction = (value: string) => (isDecimal(value) ? exactPercent(value) : value);
const plain = (value: string) => value;

/**
 * Labels of the limits by dotted key. The gateway's table has the same names, so a limit without words does not
 * compile.
 */
export const limitWords = {
  max_order_notional: { label: 'One order', shown: amount },
  max_order_qty: { label: 'Shares of one order', shown: plain },
  max_day_notional: { label: 'All orders of a day', shown: amount },
  max_day_orders: { label: 'Orders a day', shown: plain },
  max_orders_per_minute: { label: 'Orders a minute', shown: plain },
  max_open_orders: { label: 'Open orders', shown: plain },
  max_day_loss: { label: 'Loss of a day', shown: amount },
  max_position_weight: { label: 'One position, of the account', shown: fraction },
  max_price_deviation: { label: 'A price off the quote', shown: fraction },
  min_seconds_between_same: { label: 'Seconds until the same order', shown: plain },
  deny_opposing: { label: 'Orders against an open one refused', shown: plain },
  'symbols.allow': { label: 'Symbols, these alone', shown: plain },
  'symbols.deny': { label: 'Symbols, never these', shown: plain },
  asset_classes: { label: 'Classes of assets, these alone', shown: plain },
  sides: { label: 'Sides', shown: plain },
  types: { label: 'Types of order', shown: plain },
  hours: { label: 'Hours', shown: plain },
  second_person_above: { label: 'Orders by one person', shown: amount },
  'live.mandate_up_to': { label: 'Live orders without a tap', shown: amount },
  'live.second_person_above': { label: 'Live orders by one person', shown: amount },
  'live.acr': { label: 'Sign-in for live orders', shown: plain },
} as const satisfies Readonly<Record<string, LimitWords>>;

type LimitKey = keyof typeof limitWords;
/** A key of an account's limits: `symbols` of `symbols.allow`. */
export type LimitName = LimitKey extends infer Key
  ? Key extends `${infer Name}.${string}`
    ? Name
    : Key
  : never;
/** The parts of a limit that has some: `allow` and `deny` of `symbols`. */
export type LimitPart<Name extends LimitName> = LimitKey extends infer Key
  ? Key extends `${Name}.${infer Part}`
    ? Part
    : never
  : never;

const wordsOf = (key: string): LimitWords | undefined =>
  Object.hasOwn(limitWords, key) ? limitWords[key as LimitKey] : undefined;

/** `max_order_notional 1000 → 2500`, as rules are compared, as a person reads it: `One order $1,000.00 → $2,500.00`. */
export function limitChangeText(line: string): string {
  const [, key = '', from = '', to = ''] = /^([\w.]+) (.+) → (.+)$/u.exec(line) ?? [];
  const words = wordsOf(key);
  return words === undefined ? line : `${words.label} ${words.shown(from)} → ${words.shown(to)}`;
}

export function limitLabel(key: string): string {
  return wordsOf(key)?.label ?? key;
}

export function shownLimit(key: string, value: string): string {
  return wordsOf(key)?.shown(value) ?? value;
}

/** Limits by their dotted keys, each value as text: `symbols.allow` → `AAPL, MSFT`. */
export function flatLimits(limits: Readonly<Record<string, unknown>>): [key: string, value: string][] {
  return Object.entries(limits).flatMap(([key, value]): [string, string][] => {
    if (value === undefined) return [];
    if (typeof value !== 'object' || value === null) return [[key, String(value)]];
    if (Array.isArray(value)) return [[key, value.join(', ')]];
    if (key === 'hours') return [[key, hoursText(value as Readonly<Record<string, unknown>>)]];
    return flatLimits(value as Readonly<Record<string, unknown>>).map(([inner, text]) => [
      `${key}.${inner}`,
      text,
    ]);
  });
}

/** `09:30 to 16:00 America/New_York, mon, tue` */
function hoursText({ zone, from, to, days }: Readonly<Record<string, unknown>>): string {
  const on = Array.isArray(days) ? `, ${days.join(', ')}` : '';
  return `${String(from)} to ${String(to)}${zone === undefined ? '' : ` ${String(zone)}`}${on}`;
}
