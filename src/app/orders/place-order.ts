import { randomBytes } from 'node:crypto';
import type { ApprovalMode } from '../../agent/agent.ts';
import type { RunStatus } from '../../agent/events.ts';
import { brokerRejectionError, proposalError } from '../../agent/graph/proposal-error.ts';
import { describeProposal, toApprovalView, toProposalOutcome } from '../../agent/graph/proposal-view.ts';
import { toErrorObject } from '../../errors/error-object.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { followProposal } from '../../tools/gateway/follow-proposal.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { proposeWithRetries } from '../../tools/gateway/propose-with-retries.ts';
import { watchFill } from '../../tools/gateway/watch-fill.ts';
import { parseOrderRequest } from '../../tools/place-order.ts';
import { parseReplaceRequest } from '../../tools/replace-order.ts';
import { symbolAssetClass } from '../../trading/asset-class.ts';
import { positiveDecimalString } from '../../trading/decimal.ts';
import type { OrderRequest, Side, TimeInForce } from '../../trading/order.ts';
import type { OrderClass, PositionIntent } from '../../trading/order-classes.ts';
import { legFields } from '../../trading/order-fields.ts';
import {
  idempotencyKeySchema,
  isInProgressState,
  type MandateReference,
  mandateReference,
  type Proposal,
  type ProposalRequestInput,
  type Provenance,
} from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import type { ApprovalListener } from '../approvals/propose-and-wait.ts';
import { buildAccountField, buildAccountProvenance, type OrderLocation, type OrderOutcome } from './orders.ts';

export interface OrderRequestSettings {
  readonly approval: ApprovalMode;
  /** The idempotency key. The same key and order always refer to the same proposal, even after it has ended. */
  readonly key?: string;
}

/**
 * Proposes the order given by the flags, without a model or a planner.
 * @throws {TradeAgentError} the gateway's reason for rejecting the order; `usage` for a key that was used for another
 *   order; `approval_denied` if the order needs an approval and `--approval` forbids asking for it; `outcome_unknown`
 *   if the gateway does not confirm that it received the proposal
 */
export async function proposeOrder(
  app: App,
  request: ProposalRequestInput,
  { approval, key = `cli-${randomBytes(16).toString('hex')}` }: OrderRequestSettings,
  asking: ApprovalListener,
): Promise<OrderOutcome> {
  if (!idempotencyKeySchema.safeParse(key).success) {
    throw new TradeAgentError('usage', '--key is invalid', {
      hint: 'Use up to 64 letters, digits and . _ - characters, such as rebalance-2026-11-26-AAPL.',
    });
  }
  const neverAsks = mandateReference(request)?.approval === 'mandate';
  if (approval === 'deny' || (approval === 'mandate' && !neverAsks)) throw approvalNotAllowed(approval);
  const gateway = await app.gateway();
  const proposal = await proposeWithRetries(gateway, request, key, {
    clock: app.clock,
    signal: app.signal,
    notice: (message) => asking.notice(message),
    unanswered: (cause) => unconfirmedProposal(key, cause),
  }).catch((error: unknown) => explainKey(gateway, key, error));
  asking.changed(toApprovalView(proposal, ''));
  if (approval === 'detach' && !isSettled(proposal)) return toOutcome(key, proposal);
  return await followToEnd(app, gateway, { key, proposal }, asking);
}

async function followToEnd(
  app: App,
  gateway: GatewayClient,
  { key, proposal }: { readonly key: string; readonly proposal: Proposal },
  asking: ApprovalListener,
): Promise<OrderOutcome> {
  const { clock, signal } = app;
  let seen = proposal;
  const changed = (next: Proposal) => {
    seen = next;
    asking.changed(toApprovalView(next, ''));
  };
  const notice = (message: string) => asking.notice(message);
  try {
    seen = await followProposal(gateway, proposal, { clock, signal, changed, notice });
    seen = await watchFill(gateway, seen, { clock, signal, changed });
    return toOutcome(key, seen);
  } catch (error) {
    if (!signal.aborted) throw error;
    // Only this client stopped waiting. The proposal is not affected.
    return { ...toOutcome(key, seen), error: toErrorObject(signal.reason) };
  }
}

function toOutcome(key: string, proposal: Proposal): OrderOutcome {
  const order = toProposalOutcome(proposal).placed ?? null;
  const approval = toApprovalView(proposal, '');
  if (!isSettled(proposal)) {
    const status = isInProgressState(proposal.state) && proposal.state !== 'approved' ? 'unknown' : 'pending';
    return { status, key, approval, order };
  }
  if (proposal.state === 'executed' && order?.status !== 'rejected') {
    return { status: 'done', key, approval, order };
  }
  const error = toErrorObject(proposal.state === 'executed' ? brokerRejectionError(proposal) : proposalError(proposal));
  return { status: runStatusByState[proposal.state] ?? 'failed', key, approval, order, error };
}

function isSettled({ state }: Proposal): boolean {
  return state === 'executed' || state in runStatusByState;
}

const runStatusByState: Partial<Record<Proposal['state'], RunStatus>> = {
  denied: 'denied',
  expired: 'expired',
  blocked: 'blocked',
  unknown: 'unknown',
  cancelled: 'denied',
};

function approvalNotAllowed(approval: ApprovalMode): TradeAgentError {
  const again =
    approval === 'mandate' ? 'No mandate covers this order; run the command again' : 'Run the command again';
  return new TradeAgentError('approval_denied', 'this command is not allowed to ask for approval', {
    hint: `Nothing was proposed. ${again} with --approval wait or detach.`,
  });
}

/** Converts a key conflict to a `usage` error that names the key's first proposal. Rethrows any other error. */
async function explainKey(gateway: GatewayClient, key: string, error: unknown): Promise<never> {
  if (!isTradeAgentError(error) || error.details.problem !== 'idempotency_key_conflict') throw error;
  const first = await gateway.proposed(key).catch(() => undefined);
  const what = first === undefined ? 'something else' : `${describeProposal(first)} (${first.id})`;
  throw new TradeAgentError('usage', `the key "${key}" was already used for another order: ${what}`, {
    hint: 'Nothing was proposed. Use a new key for each order. The same key means the same order.',
    details: error.details,
    cause: error,
  });
}

function unconfirmedProposal(key: string, cause: unknown): TradeAgentError {
  return new TradeAgentError('outcome_unknown', 'the gateway did not confirm that it received the proposal', {
    hint: `Run the same command again with --key ${key}. It continues with the same proposal. Until then, don't request the order in any other way.`,
    ...defined({ cause }),
  });
}

/** An order's flags. Amounts are decimal strings, as the person typed them. */
export interface OrderFlags {
  readonly qty?: string;
  /** Dollars. */
  readonly amount?: string;
  /** Dollars per share. */
  readonly limit?: string;
  /** Dollars per share. */
  readonly stop?: string;
  /** Whether the order becomes a market order, without a limit, when the stop price is reached. */
  readonly atMarket?: boolean;
  /** Dollars per share, or a percentage such as `2%`. */
  readonly trail?: string;
  readonly tif?: TimeInForce;
  readonly extendedHours?: boolean;
  /** Dollars per share. */
  readonly takeProfit?: string;
  /** Dollars per share, optionally followed by a limit, as in `170:169.50`. */
  readonly stopLoss?: string;
  /** Whether an option order opens or closes a position. Must be set for a sale. */
  readonly open?: boolean;
  readonly close?: boolean;
}

export type OrderChangeFlags = Pick<OrderFlags, 'qty' | 'limit' | 'stop' | 'trail' | 'tif'>;

const flagByField: Readonly<Record<string, string>> = {
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
 * Builds the order request. The prices determine the type: an order without prices is a market order, and `--stop` with
 * `--limit` makes it a stop limit order.
 * @throws {TradeAgentError} `invalid_order`, naming the flag
 */
export function buildOrderFromFlags(side: Side, symbol: string, flags: OrderFlags): OrderRequest {
  const { qty, amount, limit, stop, atMarket, trail, tif, extendedHours } = flags;
  const intent = positionIntent(side, symbol, flags);
  if (qty === undefined && amount === undefined) {
    throw new TradeAgentError('invalid_order', 'the order size is missing', {
      hint: 'Pass --qty with a number of shares, or --amount with dollars.',
    });
  }
  if (qty !== undefined && amount !== undefined) {
    throw new TradeAgentError('invalid_order', 'use either --qty or --amount, not both', {
      hint: '--qty is in shares, --amount in dollars.',
    });
  }
  if (trail !== undefined && (limit !== undefined || stop !== undefined)) {
    throw new TradeAgentError('invalid_order', "--trail can't be combined with --limit or --stop", {
      hint: 'A trailing stop becomes a market order once the price has moved back by that much.',
    });
  }
  if (atMarket === true && (stop === undefined || limit !== undefined)) {
    throw new TradeAgentError('invalid_order', '--at-market is for a --stop without a --limit', {
      hint: 'A --stop alone has a limit at your max_slippage. With --at-market it sells at any price.',
    });
  }
  const { prices, order_class } = legPrices(side, flags);
  const stated = { qty, notional: amount, limit_price: limit, stop_price: stop };
  const amounts = defined({ ...trailFields(trail), ...prices, ...stated });
  const type = order_class === 'oco' ? 'limit' : orderType(flags);
  return withFlagErrors(amounts, () =>
    parseOrderRequest({
      symbol,
      side,
      type,
      ...amounts,
      ...defined({
        time_in_force: tif,
        extended_hours: extendedHours,
        order_class,
        position_intent: intent,
      }),
    }),
  );
}

/**
 * Returns the intent of an option order. A purchase opens a position by default. A sale requires `--open` or `--close`,
 * because it may either sell contracts from the account or write new ones.
 */
function positionIntent(side: Side, symbol: string, { open, close }: OrderFlags): PositionIntent | undefined {
  if (open === true && close === true) {
    throw new TradeAgentError('invalid_order', 'use either --open or --close, not both', {
      hint: '--open opens an option position, --close closes one.',
    });
  }
  const isOption = symbolAssetClass(symbol.trim().toUpperCase()) === 'us_option';
  if (open === true || (close !== true && isOption && side === 'buy')) return `${side}_to_open`;
  if (close === true) return `${side}_to_close`;
  if (!isOption) return undefined;
  throw new TradeAgentError('invalid_order', 'selling an option requires --open or --close', {
    hint: '--close sells contracts that you hold. --open writes new ones, covered by shares or cash.',
  });
}

/**
 * Returns the legs' order class and prices. A purchase (bracket or OTO) activates its legs when it is filled. A
 * sale (OCO) consists of two legs that close an existing position.
 */
function legPrices(
  side: Side,
  { takeProfit, stopLoss }: OrderFlags,
): { readonly order_class?: OrderClass; readonly prices: Record<string, string> } {
  if (takeProfit === undefined && stopLoss === undefined) return { prices: {} };
  const both = takeProfit !== undefined && stopLoss !== undefined;
  if (side === 'sell' && !both) {
    throw new TradeAgentError('invalid_order', 'a sale needs both --take-profit and --stop-loss', {
      hint: 'Pass both, or use a single price with --limit or --stop.',
    });
  }
  const [, stop = stopLoss, limit] = /^([^:]*)(?::([^:]*))?$/.exec(stopLoss ?? '') ?? [];
  return {
    order_class: side === 'sell' ? 'oco' : both ? 'bracket' : 'oto',
    prices: defined({
      take_profit_limit_price: takeProfit,
      stop_loss_stop_price: stopLoss === undefined ? undefined : stop,
      stop_loss_limit_price: limit,
    }),
  };
}

function orderType({ limit, stop, atMarket, trail }: OrderFlags): string {
  if (trail !== undefined) return 'trailing_stop';
  if (atMarket === true) return 'stop_market';
  if (stop !== undefined) return limit === undefined ? 'stop' : 'stop_limit';
  return limit === undefined ? 'market' : 'limit';
}

/** Parses a trail: `2%` is a percentage, a plain number is dollars per share. */
function trailFields(trail: string | undefined): Record<string, string> {
  if (trail === undefined) return {};
  return trail.endsWith('%') ? { trail_percent: trail.slice(0, -1) } : { trail_price: trail };
}

/** Builds the proposal that is sent to the gateway. `max_slippage` of the profile is a fraction. */
export function buildOrderProposal(
  order: OrderRequest,
  flags: OrderFlags,
  { environment, max_slippage }: { readonly environment: 'paper' | 'live'; readonly max_slippage: string },
  under: MandateReference,
): ProposalRequestInput {
  const said = new Set(['symbol', 'side', 'qty', 'notional', 'limit_price', 'stop_price']);
  for (const field of ['trail_price', 'trail_percent', 'order_class', ...legFields]) said.add(field);
  // The person's prices determine the order type, so the type also counts as the person's choice.
  if (order.type !== 'market') said.add('type');
  if (flags.tif !== undefined) said.add('time_in_force');
  if (flags.extendedHours === true) said.add('extended_hours');
  if (flags.open === true || flags.close === true) said.add('position_intent');
  const whole = { ...order, environment, max_slippage };
  return {
    kind: 'order',
    order: whole,
    requested_by: `order ${order.side}`,
    provenance: fieldProvenance(whole, said),
    ...under,
  };
}

/** Builds the proposal to replace an order. @param at the order's account @throws {TradeAgentError} `invalid_order` */
export function buildReplaceProposal(
  orderId: string,
  { qty, limit, stop, trail, tif }: OrderChangeFlags,
  at?: OrderLocation['at'],
): ProposalRequestInput {
  if ([qty, limit, stop, trail, tif].every((flag) => flag === undefined)) {
    throw new TradeAgentError('invalid_order', 'nothing to change', {
      hint: 'Pass at least one of --qty, --limit, --stop, --trail and --tif.',
    });
  }
  const changes = {
    qty,
    limit_price: limit,
    stop_price: stop,
    trail: trail?.replace(/%$/, ''),
    time_in_force: tif,
  };
  const replace = withFlagErrors(changes, () => parseReplaceRequest(defined({ order_id: orderId, ...changes })));
  return {
    kind: 'replace',
    replace: { ...buildAccountField(at), ...replace },
    requested_by: 'order replace',
    provenance: {
      fields: { ...buildAccountProvenance(at), ...fieldProvenance(replace, new Set(Object.keys(replace))).fields },
    },
  };
}

/** Returns the provenance: the fields in `said` come from the user, and all others are defaults. */
function fieldProvenance(request: object, said: ReadonlySet<string>): Provenance {
  const source = (name: string) => ({ source: said.has(name) ? ('user' as const) : ('default' as const) });
  const names = Object.entries(request).filter(([, value]) => value !== undefined);
  return { fields: Object.fromEntries(names.map(([name]) => [name, source(name)])) };
}

/** Replaces the schema's field names in errors with the flags that the person typed. */
function withFlagErrors<T>(amounts: Readonly<Record<string, string | undefined>>, read: () => T): T {
  for (const [field, text] of Object.entries(amounts)) {
    if (text === undefined || field === 'time_in_force') continue;
    if (positiveDecimalString.safeParse(text).success) continue;
    throw new TradeAgentError('invalid_order', `${flagByField[field]} can't be "${text.slice(0, 40)}"`, {
      hint: 'Use a plain number greater than zero, such as 5 or 182.50, without $ or commas.',
    });
  }
  try {
    return read();
  } catch (error) {
    if (!isTradeAgentError(error) || typeof error.details.field !== 'string') throw error;
    const flag = flagByField[error.details.field];
    if (flag === undefined || error.message.includes(flag)) throw error;
    const message = error.message.replace(`${error.details.field}: `, '');
    throw new TradeAgentError(error.code, `${flag}: ${message}`, {
      ...defined({ hint: error.hint }),
      details: error.details,
      cause: error,
    });
  }
}
