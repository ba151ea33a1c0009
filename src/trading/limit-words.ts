import { formatDollarAmount, formatExactPercent } from './amounts.ts';
import { decimalString } from './decimal.ts';
import { describeRecipientKey } from './message.ts';

interface LimitWords {
  readonly label: string;
  readonly shown: (value: string) => string;
}

const isDecimal = (value: string) => decimalString.safeParse(value).success;
const formatAmount = (value: string) => (isDecimal(value) ? formatDollarAmount(value) : value);
const formatFraction = (value: string) => (isDecimal(value) ? formatExactPercent(value) : value);
const formatRecipients = (value: string) =>
  value === '' ? 'nobody' : value.split(', ').map(describeRecipientKey).join(', ');
const formatPlain = (value: string) => value;

/**
 * Labels of the limits by dotted key. The type of the gateway's table of limits requires exactly these keys, so a limit
 * without a label does not compile.
 */
export const limitWords = {
  max_order_notional: { label: 'Maximum per order', shown: formatAmount },
  max_order_qty: { label: 'Maximum shares per order', shown: formatPlain },
  max_day_notional: { label: 'Maximum per day', shown: formatAmount },
  max_day_orders: { label: 'Orders per day', shown: formatPlain },
  max_orders_per_minute: { label: 'Orders per minute', shown: formatPlain },
  max_open_orders: { label: 'Open orders', shown: formatPlain },
  max_day_loss: { label: 'Maximum loss per day', shown: formatAmount },
  max_position_weight: { label: 'Maximum position as a share of the account', shown: formatFraction },
  max_price_deviation: { label: 'Maximum deviation from the quote', shown: formatFraction },
  min_seconds_between_same: { label: 'Seconds between identical orders', shown: formatPlain },
  deny_opposing: { label: 'Deny orders that oppose open orders', shown: formatPlain },
  'symbols.allow': { label: 'Allowed symbols', shown: formatPlain },
  'symbols.deny': { label: 'Denied symbols', shown: formatPlain },
  asset_classes: { label: 'Allowed asset classes', shown: formatPlain },
  sides: { label: 'Allowed sides', shown: formatPlain },
  types: { label: 'Allowed order types', shown: formatPlain },
  hours: { label: 'Trading hours', shown: formatPlain },
  own_words: { label: 'Your own words required after outside text', shown: formatPlain },
  message_recipients: { label: 'Allowed message recipients', shown: formatRecipients },
  max_day_messages: { label: 'Messages per day', shown: formatPlain },
  number_matching_above: { label: 'Code must be typed for other agents’ orders above', shown: formatAmount },
  second_person_above: { label: 'Second approver above', shown: formatAmount },
  'live.mandate_up_to': { label: 'Live orders without approval, up to', shown: formatAmount },
  'live.second_person_above': { label: 'Second approver for live orders above', shown: formatAmount },
  'live.acr': { label: 'Sign-in for live orders', shown: formatPlain },
} as const satisfies Readonly<Record<string, LimitWords>>;

type LimitKey = keyof typeof limitWords;
/** A top-level key of an account's limits, such as `symbols` in `symbols.allow`. */
export type LimitName = LimitKey extends infer Key ? (Key extends `${infer Name}.${string}` ? Name : Key) : never;
/** The subkeys of a limit, such as `allow` and `deny` of `symbols`. */
export type LimitSubkey<Name extends LimitName> = LimitKey extends infer Key
  ? Key extends `${Name}.${infer Part}`
    ? Part
    : never
  : never;

const findLimitWords = (key: string): LimitWords | undefined =>
  Object.hasOwn(limitWords, key) ? limitWords[key as LimitKey] : undefined;

/** Formats the change of one recipient as a separate line, so that people see each recipient in full. */
export function toRecipientChange(change: 'added' | 'removed', key: string): string {
  return `message_recipients ${change}: ${key}`;
}

/** Returns whether a formatted change adds or removes a recipient of messages. */
export function isRecipientChange(line: string): boolean {
  return line.startsWith('Messages may ');
}

/** Returns whether a formatted change is about messages rather than orders. */
export function isMessageChange(line: string): boolean {
  return isRecipientChange(line) || line.startsWith(`${limitWords.max_day_messages.label} `);
}

/**
 * Formats a change for people: `max_order_notional 1000 → 2500` becomes `Maximum per order $1,000.00 → $2,500.00`, and
 * `message_recipients added: slack:#trading` becomes `Messages may be sent to #trading on Slack`.
 */
export function formatLimitChange(line: string): string {
  const [, change, recipient = ''] = /^message_recipients (added|removed): (.+)$/u.exec(line) ?? [];
  if (change !== undefined) {
    return `Messages may ${change === 'added' ? '' : 'no longer '}be sent to ${describeRecipientKey(recipient)}`;
  }
  const [, key = '', from = '', to = ''] = /^([\w.]+) (.+) → (.+)$/u.exec(line) ?? [];
  const words = findLimitWords(key);
  return words === undefined ? line : `${words.label} ${words.shown(from)} → ${words.shown(to)}`;
}

export function limitLabel(key: string): string {
  return findLimitWords(key)?.label ?? key;
}

export function formatLimit(key: string, value: string): string {
  return findLimitWords(key)?.shown(value) ?? value;
}

/** Flattens limits to dotted keys with text values: `symbols.allow` → `AAPL, MSFT`. */
export function flattenLimits(limits: Readonly<Record<string, unknown>>): [key: string, value: string][] {
  return Object.entries(limits).flatMap(([key, value]): [string, string][] => {
    if (value === undefined) return [];
    if (typeof value !== 'object' || value === null) return [[key, String(value)]];
    if (Array.isArray(value)) return [[key, value.join(', ')]];
    if (key === 'hours') return [[key, hoursText(value as Readonly<Record<string, unknown>>)]];
    return flattenLimits(value as Readonly<Record<string, unknown>>).map(([inner, text]) => [`${key}.${inner}`, text]);
  });
}

/** Formats trading hours: `09:30 to 16:00 America/New_York, mon, tue`. */
function hoursText({ zone, from, to, days }: Readonly<Record<string, unknown>>): string {
  const on = Array.isArray(days) ? `, ${days.join(', ')}` : '';
  return `${String(from)} to ${String(to)}${zone === undefined ? '' : ` ${String(zone)}`}${on}`;
}
