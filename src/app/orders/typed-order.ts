import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { readOrderRequest } from '../../tools/place-order.ts';
import { readReplaceRequest } from '../../tools/replace-order.ts';
import { assetClassOf } from '../../trading/asset-class.ts';
import { positiveDecimalString } from '../../trading/decimal.ts';
import type { OrderRequest, Side, TimeInForce } from '../../trading/order.ts';
import type { OrderClass, PositionIntent } from '../../trading/order-classes.ts';
import { legFields } from '../../trading/order-fields.ts';
import type { AskedUnder, ProposalRequestInput, Provenance } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import { accountFrom, accountOf, type OrderPlace } from './order-place.ts';

/** An order as flags say it; amounts as typed, decimal strings. */
export interface OrderFlags {
  /** Shares. */
  readonly qty?: string;
  /** Dollars. */
  readonly amount?: string;
  /** Dollars a share. */
  readonly limit?: string;
  /** Dollars a share. */
  readonly stop?: string;
  /** Dollars a share, or `2%`. */
  readonly trail?: string;
  readonly tif?: TimeInForce;
  readonly extendedHours?: boolean;
  /** Dollars a share. */
  readonly takeProfit?: string;
  /** Dollars a share, or with the limit of the sale at it: `170:169.50`. */
  readonly stopLoss?: string;
  /** Of an option: whether a position is opened, or one that is there closed. */
  readonly open?: boolean;
  readonly close?: boolean;
}

/** What of an open order is to change. */
export type ChangeFlags = Pick<OrderFlags, 'qty' | 'limit' | 'stop' | 'trail' | 'tif'>;

/** By what the schema calls it, the flag that says it. */
const flagOf: Readonly<Record<string, string>> = {
  symbol: 'SYMBOL',
  qty: '--qty',
  notional: '--amount',
  limit_price: '--limit',
  stop_price: '--stop',
  trail: '--trail',
  trail_price: '--trail',
  trail_percent: '--trail',
  take_profit_limit_price: '--take-profit',
  stop_loss_stop_price: '--stop-loss',
  stop_loss_limit_price: '--stop-loss',
  time_in_force: '--tif',
  position_intent: '--open or --close',
};

/**
 * The order that flags say. Its type follows from its prices: none is a market order, `--stop` with `--limit` a stop
 * limit order.
 * @throws {TradeAgentError} `invalid_order`, naming the flag
 */
export function typedOrder(side: Side, symbol: string, flags: OrderFlags): OrderRequest {
  const { qty, amount, limit, stop, trail, tif, extendedHours } = flags;
  const intent = intentOf(side, symbol, flags);
  if (qty === undefined && amount === undefined) {
    throw new TradeAgentError('invalid_order', 'how much is not said', {
      hint: 'Give --qty with a number of shares, or --amount with dollars.',
    });
  }
  if (qty !== undefined && amount !== undefined) {
    throw new TradeAgentError('invalid_order', 'an order has either --qty or --amount', {
      hint: '--qty is shares, --amount dollars.',
    });
  }
  if (trail !== undefined && (limit !== undefined || stop !== undefined)) {
    throw new TradeAgentError('invalid_order', '--trail goes with neither --limit nor --stop', {
      hint: 'A trailing stop sells at the market once the price has come back by so much.',
    });
  }
  const exits = exitsOf(side, flags);
  return namingFlags(
    {
      symbol,
      ...trailed(trail),
      ...exits.prices,
      qty,
      notional: amount,
      limit_price: limit,
      stop_price: stop,
    },
    () =>
      readOrderRequest({
        ...defined({ symbol, side, qty, notional: amount, limit_price: limit, stop_price: stop }),
        ...trailed(trail),
        type: exits.order_class === 'oco' ? 'limit' : typeOf(flags),
        ...defined({
          time_in_force: tif,
          extended_hours: extendedHours,
          order_class: exits.order_class,
          position_intent: intent,
        }),
        ...exits.prices,
      }),
  );
}

/**
 * What becomes of the position in an option. A purchase opens one unless it is said to close one; of a sale it must be
 * said, since it may sell what is held, or owe it.
 */
function intentOf(side: Side, symbol: string, { open, close }: OrderFlags): PositionIntent | undefined {
  if (open === true && close === true) {
    throw new TradeAgentError('invalid_order', 'an order has either --open or --close', {
      hint: '--open opens a position in an option, --close closes one.',
    });
  }
  const isOption = assetClassOf(symbol.trim().toUpperCase()) === 'us_option';
  if (open === true || (close !== true && isOption && side === 'buy')) return `${side}_to_open`;
  if (close === true) return `${side}_to_close`;
  if (!isOption) return undefined;
  throw new TradeAgentError('invalid_order', 'whether the option is sold to open or to close is not said', {
    hint: '--close sells contracts that you hold; --open sells new ones, on shares or cash that stand behind them.',
  });
}

/** Bought, exits follow an entry; sold, they are those of what is held, and both of them. */
function exitsOf(
  side: Side,
  { takeProfit, stopLoss }: OrderFlags,
): { readonly order_class?: OrderClass; readonly prices: Record<string, string> } {
  if (takeProfit === undefined && stopLoss === undefined) return { prices: {} };
  const both = takeProfit !== undefined && stopLoss !== undefined;
  if (side === 'sell' && !both) {
    throw new TradeAgentError('invalid_order', 'of what is held, --take-profit and --stop-loss go together', {
      hint: 'Give both, or a single price by --limit or --stop.',
    });
  }
  const [, stop = stopLoss, limit] = /^([^:]*)(?::([^:]*))?$/.exec(stopLoss ?? '') ?? [];
  return {
    order_class: side === 'sell' ? 'oco' : both ? 'bracket' : 'oto',
    prices: {
      ...defined({
        take_profit_limit_price: takeProfit,
        stop_loss_stop_price: stopLoss === undefined ? undefined : stop,
        stop_loss_limit_price: limit,
      }),
    },
  };
}

function typeOf({ limit, stop, trail }: OrderFlags): string {
  if (trail !== undefined) return 'trailing_stop';
  if (stop !== undefined) return limit === undefined ? 'stop' : 'stop_limit';
  return limit === undefined ? 'market' : 'limit';
}

/** `2%` is percent, a plain number dollars a share. */
function trailed(trail: string | undefined): Record<string, string> {
  if (trail === undefined) return {};
  return trail.endsWith('%') ? { trail_percent: trail.slice(0, -1) } : { trail_price: trail };
}

/** What the gateway is asked for. @param slippage the profile's, a fraction */
export function orderProposal(
  order: OrderRequest,
  flags: OrderFlags,
  { environment, max_slippage }: { readonly environment: 'paper' | 'live'; readonly max_slippage: string },
  under: AskedUnder,
): ProposalRequestInput {
  const said = new Set(['symbol', 'side', 'qty', 'notional', 'limit_price', 'stop_price']);
  for (const field of ['trail_price', 'trail_percent', 'order_class', ...legFields]) said.add(field);
  // What says a price says the type.
  if (order.type !== 'market') said.add('type');
  if (flags.tif !== undefined) said.add('time_in_force');
  if (flags.extendedHours === true) said.add('extended_hours');
  if (flags.open === true || flags.close === true) said.add('position_intent');
  const whole = { ...order, environment, max_slippage };
  return {
    kind: 'order',
    order: whole,
    requested_by: `order ${order.side}`,
    provenance: wordsOf(whole, said),
    ...under,
  };
}

/**
 * A change of an open order.
 * @param at the account that it was found in
 * @throws {TradeAgentError} `invalid_order`, naming the flag
 */
export function replaceProposal(
  orderId: string,
  { qty, limit, stop, trail, tif }: ChangeFlags,
  at?: OrderPlace['at'],
): ProposalRequestInput {
  if ([qty, limit, stop, trail, tif].every((flag) => flag === undefined)) {
    throw new TradeAgentError('invalid_order', 'what to change is not said', {
      hint: 'Give at least one of --qty, --limit, --stop, --trail and --tif.',
    });
  }
  const changes = {
    qty,
    limit_price: limit,
    stop_price: stop,
    trail: trail?.replace(/%$/, ''),
    time_in_force: tif,
  };
  const replace = namingFlags(changes, () => readReplaceRequest(defined({ order_id: orderId, ...changes })));
  return {
    kind: 'replace',
    replace: { ...accountOf(at), ...replace },
    requested_by: 'order replace',
    provenance: {
      fields: { ...accountFrom(at), ...wordsOf(replace, new Set(Object.keys(replace))).fields },
    },
  };
}

/** Every field is the person's own word, or a default. */
function wordsOf(request: object, said: ReadonlySet<string>): Provenance {
  const source = (name: string) => ({ source: said.has(name) ? ('user' as const) : ('default' as const) });
  const names = Object.entries(request).filter(([, value]) => value !== undefined);
  return { fields: Object.fromEntries(names.map(([name]) => [name, source(name)])) };
}

/** An amount that is none is answered by its flag: the schema knows its own names alone. */
function namingFlags<T>(amounts: Readonly<Record<string, string | undefined>>, read: () => T): T {
  for (const [field, text] of Object.entries(amounts)) {
    if (text === undefined || field === 'symbol' || field === 'time_in_force') continue;
    if (positiveDecimalString.safeParse(text).success) continue;
    throw new TradeAgentError('invalid_order', `${flagOf[field]} can't be "${text.slice(0, 40)}"`, {
      hint: 'Give a plain number greater than zero, such as 5 or 182.50: no $, no commas.',
    });
  }
  try {
    return read();
  } catch (error) {
    if (!isTradeAgentError(error) || typeof error.details.field !== 'string') throw error;
    const flag = flagOf[error.details.field];
    if (flag === undefined || error.message.includes(flag)) throw error;
    const message = error.message.replace(`${error.details.field}: `, '');
    throw new TradeAgentError(error.code, `${flag}: ${message}`, {
      ...defined({ hint: error.hint }),
      details: error.details,
      cause: error,
    });
  }
}
