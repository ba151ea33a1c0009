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
 * Labels of the limits by dotted key. The gateway's table is typed by the same keys, so a limit without a label does
 * not compile.
 */
export const limitWords = {
  max_order_notional: { label: 'Maximum per order', shown: amount },
  max_order_qty: { label: 'Maximum shares per order', shown: plain },
  max_day_notional: { label: 'Maximum per day', shown: amount },
  max_day_orders: { label: 'Orders per day', shown: plain },
  max_orders_per_minute: { label: 'Orders per minute', shown: plain },
  max_open_orders: { label: 'Open orders', shown: plain },
  max_day_loss: { label: 'Maximum loss per day', shown: amount },
  max_position_weight: { label: 'Maximum position, share of account', shown: fraction },
  max_price_deviation: { label: 'Maximum deviation from the quote', shown: fraction },
  min_seconds_between_same: { label: 'Seconds between identical orders', shown: plain },
  deny_opposing: { label: 'Deny orders against open ones', shown: plain },
  'symbols.allow': { label: 'Allowed symbols', shown: plain },
  'symbols.deny': { label: 'Denied symbols', shown: plain },
  asset_classes: { label: 'Allowed asset classes', shown: plain },
  sides: { label: 'Allowed sides', shown: plain },
  types: { label: 'Allowed order types', shown: plain },
  hours: { label: 'Trading hours', shown: plain },
  second_person_above: { label: 'Second approver above', shown: amount },
  'live.mandate_up_to': { label: 'Live orders without approval, up to', shown: amount },
  'live.second_person_above': { label: 'Second approver for live orders above', shown: amount },
  'live.acr': { label: 'Sign-in for live orders', shown: plain },
} as const satisfies Readonly<Record<string, LimitWords>>;

type LimitKey = keyof typeof limitWords;
/** A top-level key of an account's limits, such as `symbols` in `symbols.allow`. */
export type LimitName = LimitKey extends infer Key
  ? Key extends `${infer Name}.${string}`
    ? Name
    : Key
  : never;
/** The subkeys of a limit, such as `allow` and `deny` of `symbols`. */
export type LimitPart<Name extends LimitName> = LimitKey extends infer Key
  ? Key extends `${Name}.${infer Part}`
    ? Part
    : never
  : never;

const findLimitWords = (key: string): LimitWords | undefined =>
  Object.hasOwn(limitWords, key) ? limitWords[key as LimitKey] : undefined;

/** Formats a change for people: `max_order_notional 1000 → 2500` becomes `Maximum per order $1,000.00 → $2,500.00`. */
export function limitChangeText(line: string): string {
  const [, key = '', from = '', to = ''] = /^([\w.]+) (.+) → (.+)$/u.exec(line) ?? [];
  const words = findLimitWords(key);
  return words === undefined ? line : `${words.label} ${words.shown(from)} → ${words.shown(to)}`;
}

export function limitLabel(key: string): string {
  return findLimitWords(key)?.label ?? key;
}

export function displayedLimit(key: string, value: string): string {
  return findLimitWords(key)?.shown(value) ?? value;
}

/** Flattens limits to dotted keys with text values: `symbols.allow` → `AAPL, MSFT`. */
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

/** Formats trading hours: `09:30 to 16:00 America/New_York, mon, tue`. */
function hoursText({ zone, from, to, days }: Readonly<Record<string, unknown>>): string {
  const on = Array.isArray(days) ? `, ${days.join(', ')}` : '';
  return `${String(from)} to ${String(to)}${zone === undefined ? '' : ` ${String(zone)}`}${on}`;
}
