import { formatDollarAmount, formatSharePrice, formatShares } from '../../../trading/amounts.ts';
import { orderDigest } from '../../../trading/approval-details.ts';
import { type FeeSchedule, maxFees } from '../../../trading/broker-fees.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { type OrderProposalRequest, order } from '../../../trading/kinds/order.ts';
import {
  checkOrder,
  describeOrder,
  normalizeOrder,
  type OrderDraft,
  type OrderRequest,
} from '../../../trading/order.ts';
import { checkOrderClass } from '../../../trading/order-class-checks.ts';
import { hasEnded } from '../../../trading/order-legs.ts';
import { describeExitsOutcome } from '../../../trading/order-outcome.ts';
import { invalidOrderError } from '../../../trading/order-problem.ts';
import { displayedTerms, withApprovedType } from '../../../trading/order-words.ts';
import {
  type Account,
  isFinalStatus,
  type MarketClock,
  type Order,
  type Position,
  type Quote,
} from '../../../trading/views.ts';
import { computeWorstCase } from '../../../trading/worst-case.ts';
import { defined } from '../../../values/defined.ts';
import type {
  Approval,
  CompletedRequest,
  Kind,
  MandateUse,
  Proposer,
  ResultChangeStream,
  UncoveredReason,
} from '../../kind.ts';
import { toDisplayedAccount, toExecution, toHttpProblem } from '../execution.ts';
import { orderEffects, referencePrice, requireSuitableAccount } from './effects.ts';

export interface OrderContext {
  readonly account: Account;
  /** The broker's display name; undefined if there is only one broker. */
  readonly broker?: string;
  /** Number of decimals of a share quantity; zero if only whole shares can be traded. */
  readonly shareDecimals: number;
  /** The broker's fees; undefined if they are unknown. */
  readonly fees?: FeeSchedule | undefined;
  readonly quote: Quote;
  readonly positions: readonly Position[];
  readonly market: MarketClock;
  /**
   * Checks an order against every rule that will apply when it is executed.
   * @returns whether the order needs a second approver after the owner, whether the order's code has to be typed, and
   *   the rules' digest
   * @throws {HttpProblem}
   */
  requireAllowed(
    draft: OrderDraft,
    among?: {
      /** The broker's id of the order that this draft replaces. */
      readonly replaces?: string;
      /** Orders that will be sent before this draft. They count toward the limits, too. */
      readonly after?: readonly OrderDraft[];
    },
  ): Promise<{ readonly needsSecond: boolean; readonly needsCode: boolean; readonly policy: string }>;
}

export interface MandateCoverage {
  readonly by?: { readonly mandate: string; readonly slot?: string };
  readonly outside: readonly UncoveredReason[];
}

/** The gateway's order service. All methods throw only `HttpProblem`s. */
export interface OrderPorts {
  /**
   * Returns the account and market data for an order.
   * @param account the account's number; the person's default account if undefined
   * @throws {HttpProblem} 403 `account_mismatch`, 422 `unknown_symbol`, 409 `account_not_connected`, and any error from
   *   requests to the broker
   */
  orderContext(proposer: Proposer, account: string | undefined, symbol: string): Promise<OrderContext>;
  /** Checks mandates against the order. @throws {HttpProblem} 404 `not_found` for a mandate of another person */
  cover(proposer: Proposer, under: MandateUse, draft: OrderDraft): Promise<MandateCoverage>;
  /** Prefetches the data that placing the order will need. Never fails. */
  prepare(draft: OrderDraft, owner: Approval): void;
  /** Places the order exactly once, even if called again. @throws {HttpProblem} 504 `outcome_unknown`, and others */
  place(approved: { draft: OrderDraft; digest: string; replaces?: string }, owner: Approval): Promise<Order>;
  /**
   * Looks up an order that may have been placed; sends nothing. Returns undefined if the order was never placed.
   * @throws {HttpProblem} 504 `outcome_unknown`
   */
  outcome(session: Proposer, clientOrderId: string): Promise<Order | undefined>;
  /** Gives up an order, unless any part of the order has been sent. */
  abandon(sub: string, clientOrderId: string): Promise<void>;
  /**
   * Returns the broker's current state of an order that this gateway placed. Once the state is final, only the order's
   * fills count toward the limits.
   */
  order(session: Proposer, account: string, id: string, clientOrderId: string): Promise<Order | undefined>;
  /** Returns a stream of changes to these orders of an account; undefined if the broker has no stream. */
  news(session: () => Proposer, account: string, orders: readonly Order[]): ResultChangeStream | undefined;
  /** The slippage of orders that specify none, as a fraction. */
  readonly maxSlippage: string;
}

export function orderKind(ports: OrderPorts): Kind<OrderProposalRequest, OrderDraft, Order> {
  return {
    ...order,
    async complete(request, { proposer, subjectId, expiresAt, under }): Promise<CompletedRequest<OrderDraft>> {
      requireWellFormedOrder(request);
      const world = await ports.orderContext(proposer, request.account, request.symbol);
      const draft = draftOrder(request, world, ports, { subjectId, expiresAt });
      const cover = under === undefined ? undefined : await findAllowedCover(ports, proposer, under, draft);
      const subject: OrderDraft = { ...draft, ...cover?.by };
      const needs = await world.requireAllowed(subject);
      const outside = cover?.outside ?? [];
      if (under?.only && outside.length > 0) throw notCovered(outside);
      const worst = computeWorstCase(draft);
      const { shows, warnings } = orderEffects(draft, worst, world);
      return {
        subject,
        subjectId,
        worstCase: worst,
        ...needs,
        shows: { ...toDisplayedAccount(world), ...shows },
        warnings: [...outside.map(({ reason, text }) => `Not covered by a mandate: ${text} (${reason}).`), ...warnings],
      };
    },
    describe: (draft) => describeOrder(draft),
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: orderFingerprint,
    prepare: ports.prepare,
    execute: (draft, approved) => toExecution(() => ports.place({ draft, digest: orderDigest(draft) }, approved)),
    async settle({ client_order_id }, session) {
      const found = await toExecution(() => ports.outcome(session, client_order_id));
      if (found.outcome !== 'executed') return found;
      return found.result === undefined ? undefined : { outcome: 'executed', result: found.result };
    },
    abandon: ({ client_order_id }, sub) => ports.abandon(sub, client_order_id),
    isOver: hasEnded,
    news: ({ account }, order, session) => (hasEnded(order) ? undefined : ports.news(session, account, [order])),
    async follow({ account, client_order_id }, order, session) {
      if (hasEnded(order)) return undefined;
      return (await ports.order(session, account, order.id, client_order_id)) ?? order;
    },
    resultText: (order, { type }) => describeOrderState(withApprovedType(order, type)),
  };
}

/** Returns the mandate that covers an order, or why none does. No mandate covers an order that the owner has to see. */
async function findAllowedCover(
  ports: Pick<OrderPorts, 'cover'>,
  proposer: Proposer,
  under: MandateUse,
  draft: OrderDraft,
): Promise<MandateCoverage> {
  const cover = await ports.cover(proposer, under, draft);
  const { needsTap } = under;
  return needsTap.length === 0 ? cover : { outside: [...needsTap, ...cover.outside] };
}

/** Validates a request without asking the broker. @throws {HttpProblem} 400 `invalid_order` */
export function requireWellFormedOrder({ max_slippage: _, environment: __, ...asked }: OrderProposalRequest): void {
  refuseOnError(() => checkOrder(asked));
}

function refuseOnError(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw toHttpProblem(error);
  }
}

/**
 * Returns the complete order for a request, in this account and at the current price.
 * @throws {HttpProblem} 400 `invalid_order` for legs on the wrong side of the current price; 403
 *   `environment_mismatch`, 422 `insufficient_funds`
 */
export function draftOrder(
  { max_slippage, environment, ...asked }: OrderProposalRequest,
  world: Pick<OrderContext, 'account' | 'quote' | 'positions' | 'shareDecimals' | 'fees'>,
  ports: Pick<OrderPorts, 'maxSlippage'>,
  { subjectId, expiresAt }: { readonly subjectId: string; readonly expiresAt: string },
): OrderDraft {
  const { account, quote } = world;
  const reference = referencePrice(asked.side, quote);
  const order = saleInShares(asked, reference, world.shareDecimals);
  requireSuitableAccount(order, world, environment);
  const terms = normalizeOrder({
    ...order,
    account: account.account,
    environment: account.environment,
    reference_price: reference,
    max_slippage: max_slippage ?? ports.maxSlippage,
    client_order_id: subjectId,
    expires_at: expiresAt,
  });
  const draft = normalizeOrder({ ...terms, ...maxFees(terms, world.fees) });
  refuseOnError(() => checkOrderClass(draft));
  return draft;
}

/** Returns a string that is equal for orders with the same terms, ignoring ID, expiry and reference price. */
export function orderFingerprint({
  client_order_id: _,
  expires_at: __,
  reference_price: ___,
  ...terms
}: OrderDraft): string {
  return JSON.stringify(sortedKeys(terms));
}

function notCovered(outside: readonly UncoveredReason[]): HttpProblem {
  const [first] = outside;
  const { limit, value } = first ?? {};
  return new HttpProblem(403, 'policy_denied', `no mandate covers the order: ${first?.text}`, {
    hint: 'Propose the order without "approval: mandate", so that its owner is asked. See "trade-agent mandates".',
    members: {
      reason: first?.reason,
      reasons: outside.map(({ reason }) => reason),
      ...defined({ limit, value }),
    },
  });
}

/**
 * Converts a sale for a dollar amount to a sale of shares at the current price. If the dollar amount were sent, more
 * shares would be sold when the price falls.
 */
function saleInShares(order: OrderRequest, reference: string, decimals: number): OrderRequest {
  const { notional, ...rest } = order;
  if (order.side !== 'sell' || notional === undefined) return order;
  const qty = new Dec(notional).div(reference).toDecimalPlaces(decimals, Dec.ROUND_DOWN);
  if (qty.isZero()) {
    throw toHttpProblem(
      invalidOrderError(
        `${formatDollarAmount(notional)} is less than the smallest fraction of a share that can be sold here`,
        'Sell a number of shares instead.',
        'notional',
      ),
    );
  }
  return { ...rest, qty: toPlain(qty) };
}

/**
 * Returns a description such as `filled 5 at $180.12` or `placed, waiting for $180.00`; with legs, `filled 5 at
 * $180.12; take profit at $200.00`.
 */
export function describeOrderState(order: Order): string {
  const { order_class, legs = [] } = order;
  if (order_class !== 'oco') return [partText(order), ...describeExitsOutcome(order)].join('; ');
  // An OCO order waits for two prices, and trades at the price that is reached first.
  const stops = legs.flatMap(({ stop_price }) => (stop_price === null ? [] : [formatSharePrice(stop_price)]));
  return [partText(order), ...(isFinalStatus(order.status) ? [] : stops)].join(' or ');
}

function partText(order: Order): string {
  const { status, filled_qty, filled_avg_price, limit_price, qty, bound } = displayedTerms(order);
  const at = filled_avg_price === null ? '' : ` at ${formatSharePrice(filled_avg_price)}`;
  if (status === 'filled') return `filled ${formatShares(filled_qty)}${at}`;
  if (status === 'partially_filled') return `filled ${formatShares(filled_qty)} of ${formatShares(qty ?? '0')}${at}`;
  if (status === 'rejected') return 'rejected by the broker';
  if (status === 'done_for_day') {
    return `done for the day, ${formatShares(filled_qty)}${qty === null ? '' : ` of ${formatShares(qty)}`} filled${at}`;
  }
  if (isFinalStatus(status)) return `${status.replaceAll('_', ' ')}, ${formatShares(filled_qty)} filled${at}`;
  if (bound !== undefined) return `placed, for ${bound}`;
  return limit_price === null ? 'placed' : `placed, waiting for ${formatSharePrice(limit_price)}`;
}

function sortedKeys(terms: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(terms).sort(([a], [b]) => (a < b ? -1 : 1)));
}
