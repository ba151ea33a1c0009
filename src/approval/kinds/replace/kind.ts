import { orderDigest } from '../../../trading/approval-details.ts';
import { symbolTicks } from '../../../trading/asset-class.ts';
import { maxFees } from '../../../trading/broker-fees.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { type ReplaceRequest, type ReplaceSubject, replace } from '../../../trading/kinds/replace.ts';
import { describeOpenOrder, toOrderRequest } from '../../../trading/open-order.ts';
import {
  checkOrder,
  describeOrder,
  normalizeOrder,
  type OrderDraft,
  type OrderRequest,
} from '../../../trading/order.ts';
import { hasEnded } from '../../../trading/order-legs.ts';
import { priceBand } from '../../../trading/order-types.ts';
import { withApprovedType } from '../../../trading/order-words.ts';
import { worstPrice } from '../../../trading/price-band.ts';
import type { Order } from '../../../trading/views.ts';
import { computeWorstCase } from '../../../trading/worst-case.ts';
import type { Kind, Proposer } from '../../kind.ts';
import { toDisplayedAccount, toExecution, toHttpProblem } from '../execution.ts';
import { orderEffects, referencePrice } from '../order/effects.ts';
import { describeOrderState, type OrderPorts } from '../order/kind.ts';

export interface ReplacePorts extends OrderPorts {
  /** Returns the order to replace, and what its replacement needs. @throws {HttpProblem} 404 `not_found` */
  openOrder(
    proposer: Proposer,
    account: string | undefined,
    id: string,
  ): Promise<{
    order: Order;
    /** Requires that the broker can make this replacement. @throws {HttpProblem} 409 `not_replaceable` */
    requireReplaceable(draft: OrderDraft): void;
  }>;
}

/** Returns the kind of proposal that changes an open order (Alpaca's PATCH). One approval allows one replacement. */
export function replaceKind(ports: ReplacePorts): Kind<ReplaceRequest, ReplaceSubject, Order> {
  return {
    ...replace,
    async complete({ account: named, order_id, ...asked }, { proposer, subjectId, expiresAt }) {
      const { order, requireReplaceable } = await ports.openOrder(proposer, named, order_id);
      const changes = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
      const terms = changedTerms(order, asked, { changes, maxSlippage: ports.maxSlippage });
      const world = await ports.orderContext(proposer, named, order.symbol);
      const { account, quote } = world;
      const priced = normalizeOrder({
        ...terms,
        account: account.account,
        environment: account.environment,
        reference_price: referencePrice(terms.side, quote),
        max_slippage: ports.maxSlippage,
        client_order_id: subjectId,
        expires_at: expiresAt,
      });
      const draft = normalizeOrder({ ...priced, ...maxFees(priced, world.fees) });
      requireReplaceable(draft);
      const needs = await world.requireAllowed(draft, { replaces: order.id });
      const worst = computeWorstCase(draft);
      const { shows, warnings } = orderEffects(draft, worst, world);
      return {
        subject: { order, changes, draft },
        subjectId,
        worstCase: worst,
        ...needs,
        warnings,
        shows: { ...toDisplayedAccount(world), ...shows },
      };
    },
    describe: ({ order, draft }) => `REPLACE ${describeOpenOrder(order)} WITH ${describeOrder(draft)}`,
    expiresAt: ({ draft }) => draft.expires_at,
    fingerprint: ({ order, changes }) => JSON.stringify([order.id, Object.entries(changes).sort()]),
    execute: ({ order, draft }, approved) =>
      toExecution(() => ports.place({ draft, digest: orderDigest(draft), replaces: order.id }, approved)),
    async settle({ draft }, session) {
      const found = await toExecution(() => ports.outcome(session, draft.client_order_id));
      if (found.outcome !== 'executed') return found;
      return found.result === undefined ? undefined : { outcome: 'executed', result: found.result };
    },
    abandon: ({ draft }, sub) => ports.abandon(sub, draft.client_order_id),
    isOver: hasEnded,
    news: ({ draft }, order, session) => (hasEnded(order) ? undefined : ports.news(session, draft.account, [order])),
    async follow({ draft }, order, session) {
      if (hasEnded(order)) return undefined;
      return (await ports.order(session, draft.account, order.id, draft.client_order_id)) ?? order;
    },
    resultText: (order, { draft }) => `replaced: ${describeOrderState(withApprovedType(order, draft.type))}`,
  };
}

/** Returns an open order's terms. @throws {HttpProblem} 400 `invalid_order` if a proposal can't have them */
function requestedTerms(order: Order): OrderRequest {
  try {
    return toOrderRequest(order);
  } catch (error) {
    throw toHttpProblem(error);
  }
}

/** Returns the order's terms after the change. @throws {HttpProblem} 400 `invalid_order`, 409 `not_replaceable` */
function changedTerms(
  order: Order,
  { trail, ...asked }: Omit<ReplaceRequest, 'order_id' | 'account'>,
  { changes, maxSlippage }: { readonly changes: object; readonly maxSlippage: string },
): OrderRequest {
  if (priceBand(order.type) !== undefined) {
    throw new HttpProblem(409, 'not_replaceable', `a ${order.type} order without a price limit can’t be changed`, {
      hint: 'Cancel it and propose a new order, which will have a price limit.',
    });
  }
  if (Object.keys(changes).length === 0) {
    throw new HttpProblem(400, 'invalid_order', 'the request changes nothing', {
      hint: 'Specify a new quantity, price or time in force.',
    });
  }
  if (order.legs !== undefined) {
    throw new HttpProblem(409, 'not_replaceable', 'an order with legs can’t be changed as a whole', {
      hint: 'Change a leg by its own order id, or cancel the whole order and propose a new one.',
    });
  }
  const before = requestedTerms(order);
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  const trailing =
    trail === undefined ? {} : order.trail_price !== null ? { trail_price: trail } : { trail_percent: trail };
  // A stop order is sent with a limit price. If its stop price changes, so does the limit price, unless the request
  // sets a new one.
  const limit =
    order.type === 'stop_limit' && asked.stop_price !== undefined && asked.limit_price === undefined
      ? {
          limit_price: worstPrice(before.side, asked.stop_price, maxSlippage, symbolTicks(order.symbol)),
        }
      : {};
  const terms = normalizeOrder({ ...before, ...given, ...trailing, ...limit });
  try {
    checkOrder(terms);
  } catch (error) {
    throw toHttpProblem(error);
  }
  return terms;
}
