import { safeLine } from '../../../text/sanitize.ts';
import { formatPrice } from '../../../trading/decimal.ts';
import {
  type Account,
  type Asset,
  accountSchema,
  assetSchema,
  type Order,
  orderSchema,
  type Position,
  positionSchema,
  type Quote,
  quoteSchema,
} from '../../../trading/views.ts';
import { defined } from '../../../values/defined.ts';
import { formatAmount, formatMoney, toPrintableBrokerValue } from '../json-amounts.ts';
import { NoResponseError } from '../rest-client.ts';
import { valueAtPointer } from './answer.ts';
import type { MappedField, MappedFields, MappedToolCall, McpMapping } from './mapping.ts';

/* Converts tools' answers to our views. Throws if data is missing, because a gap must not look like a $0 account. */

/** An object in a response, with its key if it is a member of another object. */
interface Row {
  readonly value: unknown;
  readonly name: string;
}

export const readMappedRow = (answer: unknown, { at }: MappedToolCall): Row => ({
  value: valueAtPointer(answer, at),
  name: '',
});

export function readMappedRows(answer: unknown, { at }: MappedToolCall): Row[] {
  const rows = valueAtPointer(answer, at);
  if (typeof rows !== 'object' || rows === null) throw new NoResponseError('unreadable');
  return Object.entries(rows).map(([name, value]) => ({ value, name }));
}

function raw({ value, name }: Row, field: MappedField | undefined): unknown {
  if (field === undefined) return undefined;
  if (typeof field === 'string') return valueAtPointer(value, field);
  if ('name' in field) return name;
  if ('is' in field) return field.is;
  const { at, words } = field;
  const theirs = valueAtPointer(value, at);
  return words !== undefined && Object.hasOwn(words, String(theirs)) ? words[String(theirs)] : theirs;
}

/** Returns functions that each read a field of the row. They return undefined if the field is missing. */
function reader<F extends MappedFields>(row: Row, fields: F) {
  const number = (name: keyof F, as: (value: string | number) => string) => {
    const value = raw(row, fields[name]);
    if (value === null || value === undefined || value === '') return undefined;
    // The schema rejects anything that is not a number.
    return typeof value === 'number' || (typeof value === 'string' && /^-?\d{1,30}(\.\d{1,30})?$/.test(value))
      ? as(value)
      : String(value);
  };
  const text = (name: keyof F) => {
    const value = raw(row, fields[name]);
    return value === null || value === undefined ? undefined : String(value);
  };
  return {
    money: (name: keyof F) => number(name, formatMoney),
    amount: (name: keyof F) => number(name, formatAmount),
    tick: (name: keyof F) => number(name, (value) => formatPrice(String(value))),
    word: (name: keyof F) => toPrintableBrokerValue(text(name)),
    /** Reads an ID; returns undefined if the value can't be one. */
    id: (name: keyof F) => /^[\x21-\x7e]{1,128}$/.exec(text(name) ?? '')?.[0],
    line: (name: keyof F) => safeLine(text(name) ?? '', 200),
    flag: (name: keyof F) => raw(row, fields[name]) === true,
    instant: (name: keyof F) => {
      const value = text(name);
      return value === undefined || value === '' ? undefined : new Date(value).toISOString();
    },
  };
}

const isSo = (row: Row, conditions: Readonly<Record<string, unknown>>) =>
  Object.entries(conditions).every(([at, wanted]) => valueAtPointer(row.value, at) === wanted);

export function toAccount(
  answer: unknown,
  { account: mapped }: McpMapping,
  about: { readonly environment: 'paper' | 'live'; readonly simulated: boolean },
): Account {
  const row = readMappedRow(answer, mapped);
  const { money, word, id } = reader(row, mapped.fields);
  return accountSchema.parse({
    account: id('account'),
    environment: about.environment,
    status: word('status'),
    currency: word('currency'),
    cash: money('cash'),
    equity: money('equity'),
    last_equity: money('last_equity'),
    buying_power: money('buying_power'),
    long_market_value: money('long_market_value'),
    trading_blocked: !isSo(row, mapped.open_where),
    simulated: about.simulated,
  });
}

export function toPositions(answer: unknown, { positions: mapped }: McpMapping): Position[] {
  return readMappedRows(answer, mapped).map((row) => {
    const { money, amount, word } = reader(row, mapped.fields);
    return positionSchema.parse({
      symbol: word('symbol'),
      side: word('side'),
      qty: amount('qty'),
      qty_available: amount('qty_available'),
      avg_entry_price: money('avg_entry_price'),
      current_price: money('current_price'),
      lastday_price: money('lastday_price'),
      market_value: money('market_value'),
      cost_basis: money('cost_basis'),
      unrealized_pl: money('unrealized_pl'),
      unrealized_plpc: amount('unrealized_plpc'),
      change_today: amount('change_today'),
    });
  });
}

/**
 * Converts the quotes of those symbols that have a price. If the bid or ask is missing, `at` is the quote's time or the
 * last trade's time, whichever is earlier.
 */
export function toQuotes(
  answer: unknown,
  { quotes: mapped }: McpMapping,
  asked: readonly string[],
  simulated: boolean,
): Quote[] {
  return readMappedRows(answer, mapped).flatMap((row) => {
    const { tick, word, instant } = reader(row, mapped.fields);
    const [symbol, last] = [word('symbol'), tick('last')];
    if (symbol === undefined || !asked.includes(symbol) || last === undefined) return [];
    const [bid, ask] = [tick('bid') ?? formatPrice('0'), tick('ask') ?? formatPrice('0')];
    const [traded, quoted] = [instant('traded_at'), instant('quoted_at')];
    const bothSides = Number(bid) > 0 && Number(ask) > 0;
    const older = quoted !== undefined && traded !== undefined && quoted < traded ? quoted : (traded ?? quoted);
    return [
      quoteSchema.parse({
        symbol,
        name: null,
        bid,
        ask,
        last,
        previous_close: tick('previous_close') ?? last,
        at: bothSides && quoted !== undefined ? quoted : older,
        simulated,
      }),
    ];
  });
}

/** Converts an asset, which never allows fractional orders or short sales. */
export function toAsset(answer: unknown, { asset: mapped }: McpMapping): Asset {
  const row = readMappedRow(answer, mapped);
  const { word, line } = reader(row, mapped.fields);
  return assetSchema.parse({
    symbol: word('symbol'),
    name: line('name'),
    exchange: word('exchange') ?? '',
    tradable: isSo(row, mapped.open_where),
    fractionable: false,
    shortable: false,
  });
}

/** Patterns of order IDs. `any` matches every ID that the gateway's routes accept. */
export const orderIdPatterns = {
  any: /^[A-Za-z0-9-]{1,64}$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
} as const;

/** Converts an order. @throws {NoResponseError} for another account's order, or an order without a usable ID */
export function toOrder(row: Row, mapping: McpMapping, account: string | undefined): Order {
  const legs = mapping.legs === undefined ? undefined : valueAtPointer(row.value, mapping.legs);
  const parts = Array.isArray(legs) ? legs.map((value) => partView({ value, name: '' }, mapping, account)) : [];
  const whole = partView(row, mapping, account);
  return orderSchema.parse({
    ...whole,
    symbol: whole.symbol ?? parts.map(({ symbol }) => symbol).join(' + '),
    ...(parts.length === 0 ? {} : { legs: parts }),
  });
}

/** Returns whether the order may belong to `account`: the mapping names no account field, or the field matches. */
function isOwn(row: Row, { order_fields: fields }: McpMapping, account: string | undefined): boolean {
  if (fields.account === undefined) return true;
  const whose = reader(row, fields).id('account');
  return whose !== undefined && (account === undefined || whose === account);
}

function partView(row: Row, mapping: McpMapping, account: string | undefined) {
  const { id, money, amount, word, flag, instant } = reader(row, mapping.order_fields);
  const orderId = id('id') ?? '';
  if (!isOwn(row, mapping, account) || !orderIdPatterns[mapping.order_ids].test(orderId))
    throw new NoResponseError('unreadable');
  const wordIfAny = (name: Parameters<typeof word>[0]) => word(name) || undefined;
  return {
    id: orderId,
    client_order_id: id('client_order_id') ?? '',
    symbol: wordIfAny('symbol'),
    side: word('side') ?? '',
    type: word('type'),
    time_in_force: word('time_in_force'),
    qty: amount('qty') ?? null,
    notional: money('notional') ?? null,
    limit_price: money('limit_price') ?? null,
    stop_price: money('stop_price') ?? null,
    trail_price: money('trail_price') ?? null,
    trail_percent: amount('trail_percent') ?? null,
    extended_hours: flag('extended_hours'),
    status: word('status'),
    filled_qty: amount('filled_qty') ?? '0',
    filled_avg_price: money('filled_avg_price') ?? null,
    submitted_at: instant('submitted_at'),
    filled_at: instant('filled_at') ?? null,
    ...defined({
      order_class: wordIfAny('order_class'),
      asset_class: wordIfAny('asset_class'),
      position_intent: wordIfAny('position_intent'),
    }),
  };
}
