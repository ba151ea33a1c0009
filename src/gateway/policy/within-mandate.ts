import type { UncoveredReason } from '../../approval/kind.ts';
import { formatDollarAmount, formatExactPercent, formatSharePrice } from '../../trading/amounts.ts';
import { countedSize } from '../../trading/counted-order.ts';
import { Dec } from '../../trading/decimal.ts';
import { type Cadence, currentSlot } from '../../trading/mandate/cadence.ts';
import type { MandateEnvelope } from '../../trading/mandate/envelope.ts';
import type { MandateState, MandateUse, MandateWithUse } from '../../trading/mandate/mandate.ts';
import { effectiveMandateState } from '../../trading/mandate/mandate-state.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import { boundedOrder } from '../../trading/worst-case.ts';
import { defined } from '../../values/defined.ts';
import { collectObjections } from './decision.ts';
import { findMissingTapObjection } from './parties.ts';
import type { Rules } from './rules.ts';

/** How much of a mandate is used at one moment, not counting the order that is being checked. */
export interface MandateUsage extends MandateUse {
  readonly state: MandateState;
  readonly in_slot: number;
}

export interface MandateOrder {
  readonly draft: OrderDraft;
  /** The order's worst case in dollars; null if it has no upper bound. */
  readonly notional: string | null;
  /** The requested slot of the mandate's schedule (default: the current slot). */
  readonly slot: string | undefined;
  /** Thumbprint of the caller's DPoP key; undefined if the key was already checked. */
  readonly jkt?: string | undefined;
  readonly policy: string;
}

/**
 * Returns all reasons why a mandate doesn't cover an order, in a fixed order; empty if it covers the order. Only this
 * function decides whether a mandate covers an order. Has no side effects, because it runs before approval is
 * requested, and again in the transaction that claims the order.
 */
export function findReasonsOutsideMandate(
  terms: MandateEnvelope,
  used: MandateUsage,
  order: MandateOrder,
  now: number,
): UncoveredReason[] {
  return collectObjections<UncoveredReason>(
    mandateStateReasons(terms, used, now),
    partyMismatches(terms, order),
    orderMismatches(terms, order.draft),
    amountExcesses(terms, used, order),
    priceMismatches(terms, order.draft),
    slotMismatch(terms, used, order, now),
    order.policy !== terms.policy && {
      reason: 'MANDATE_POLICY_CHANGED',
      text: 'the gateway’s rules have changed since the mandate was approved',
    },
  );
}

function mandateStateReasons(terms: MandateEnvelope, { state }: MandateUsage, now: number): UncoveredReason[] {
  if (state === 'expired' || now >= Date.parse(terms.expires_at)) {
    return [{ reason: 'MANDATE_EXPIRED', text: `the mandate ended at ${terms.expires_at}` }];
  }
  const isActive = state === 'active' || state === 'exhausted';
  const hasBegun = !(now < Date.parse(terms.not_before));
  return collectObjections<UncoveredReason>(
    !isActive && { reason: 'MANDATE_NOT_ACTIVE', text: `the mandate is ${state}`, value: state },
    !hasBegun && { reason: 'MANDATE_NOT_YET', text: `the mandate begins at ${terms.not_before}` },
  );
}

function partyMismatches(terms: MandateEnvelope, { draft, jkt = terms.agent_jkt }: MandateOrder): UncoveredReason[] {
  const isKeys = jkt === terms.agent_jkt;
  const isAccounts = draft.account === terms.account && draft.environment === terms.environment;
  return collectObjections<UncoveredReason>(
    !isKeys && { reason: 'MANDATE_KEY_MISMATCH', text: 'the mandate is for a different program’s key' },
    !isAccounts && { reason: 'MANDATE_ACCOUNT_MISMATCH', text: 'the mandate is for a different account' },
  );
}

function orderMismatches(terms: MandateEnvelope, draft: OrderDraft): UncoveredReason[] {
  const { symbol, side, type, time_in_force, extended_hours, order_class } = draft;
  const { symbols, sides, order_types, times_in_force } = terms;
  const outside = (reason: PolicyReason, what: string, covered: readonly string[], value: string): UncoveredReason => ({
    reason,
    text: `the mandate does not cover ${what}`,
    limit: covered.join(' '),
    value,
  });
  const isType = (order_types as readonly string[]).includes(type);
  return collectObjections<UncoveredReason>(
    !symbols.includes(symbol) && outside('MANDATE_SYMBOL_NOT_COVERED', symbol, symbols, symbol),
    !sides.includes(side) && outside('MANDATE_SIDE_NOT_COVERED', side === 'buy' ? 'purchases' : 'sales', sides, side),
    !isType && outside('MANDATE_TYPE_NOT_COVERED', `${type} orders`, order_types, type),
    // The signed terms name only order types, so they do not cover orders with legs.
    order_class !== undefined && outside('MANDATE_TYPE_NOT_COVERED', 'orders with legs', order_types, order_class),
    !(times_in_force.includes(time_in_force) && !extended_hours) &&
      outside(
        'MANDATE_TIME_IN_FORCE_NOT_COVERED',
        extended_hours ? 'extended hours' : `orders with time in force ${time_in_force}`,
        times_in_force,
        extended_hours ? 'extended_hours' : time_in_force,
      ),
  );
}

function amountExcesses(terms: MandateEnvelope, used: MandateUsage, { notional }: MandateOrder): UncoveredReason[] {
  const beyond = (reason: PolicyReason, limit: string, before: string, what: string): UncoveredReason | undefined => {
    const value = notional === null ? null : new Dec(before).plus(notional).toFixed(2, Dec.ROUND_UP);
    if (value !== null && new Dec(value).lte(limit)) return undefined;
    const text =
      value === null
        ? `the order’s total has no upper bound, but ${what} may total at most ${formatDollarAmount(limit)} under the mandate`
        : `${what} would total ${formatDollarAmount(value)}, but may total at most ${formatDollarAmount(limit)} under the mandate`;
    return { reason, text, limit: new Dec(limit).toFixed(2), value };
  };
  const { max_order_notional: order, max_day_notional: day, max_total_notional: total, max_orders } = terms;
  return collectObjections<UncoveredReason>(
    beyond('MANDATE_NOTIONAL_EXCEEDS_PER_ORDER', order, '0', 'the order'),
    day !== undefined && beyond('MANDATE_NOTIONAL_EXCEEDS_PER_DAY', day, used.day_notional, 'all orders of the day'),
    beyond('MANDATE_NOTIONAL_EXCEEDS_TOTAL', total, used.total_notional, 'all orders together'),
    !(used.orders < max_orders) && {
      reason: 'MANDATE_ORDERS_EXHAUSTED',
      text: `the mandate was for ${max_orders} ${max_orders === 1 ? 'order' : 'orders'}, which were already placed`,
      limit: String(max_orders),
      value: String(used.orders + 1),
    },
  );
}

function priceMismatches(terms: MandateEnvelope, draft: OrderDraft): UncoveredReason[] {
  const { symbol, max_slippage } = draft;
  const band = Object.hasOwn(terms.price ?? {}, symbol) ? terms.price?.[symbol] : undefined;
  return collectObjections<UncoveredReason>(
    band !== undefined && outsideBand(symbol, band, draft),
    !new Dec(max_slippage).lte(terms.max_slippage) && {
      reason: 'MANDATE_SLIPPAGE_EXCEEDS_MAX',
      text: `the order allows ${formatExactPercent(max_slippage)} slippage, but the mandate allows only ${formatExactPercent(terms.max_slippage)}`,
      limit: terms.max_slippage,
      value: max_slippage,
    },
  );
}

/**
 * Returns a reason unless the price band contains both the worst possible price and the current price. An order that is
 * sent without a price (a purchase for a dollar amount) is outside every band, because its price has no upper bound.
 */
function outsideBand(
  symbol: string,
  { min, max }: { readonly min?: string | undefined; readonly max?: string | undefined },
  draft: OrderDraft,
): UncoveredReason | undefined {
  const worst = boundedOrder(draft).limit_price;
  const named = draft.limit_price ?? draft.reference_price;
  const buys = draft.side === 'buy';
  const [lowest, highest] = buys
    ? [Dec.min(named, draft.reference_price), worst]
    : [worst, Dec.max(named, draft.reference_price)];
  const reason = 'MANDATE_PRICE_OUTSIDE_BAND';
  const limit = [min ?? '', max ?? ''].join('-');
  const theBand = `the mandate’s price range for ${symbol}`;
  if (worst === undefined || lowest === undefined || highest === undefined) {
    return { reason, text: `the order is not limited to ${theBand}`, limit, value: null };
  }
  const under = min !== undefined && new Dec(lowest).lt(min);
  if (!under && !(max !== undefined && new Dec(highest).gt(max))) return undefined;
  const value = new Dec(under ? lowest : highest).toFixed();
  return { reason, text: `it can trade at ${formatSharePrice(value)} a share, outside ${theBand}`, limit, value };
}

function slotMismatch(
  terms: MandateEnvelope,
  { in_slot }: MandateUsage,
  { slot }: MandateOrder,
  now: number,
): UncoveredReason | undefined {
  const present = currentSlot(terms.cadence, now);
  if (slot !== undefined && slot !== present) {
    const text =
      present === undefined
        ? 'the mandate has no scheduled times: it is used on demand'
        : `the order is for ${slot}, but the current slot is ${present}`;
    return { reason: 'MANDATE_SLOT_MISMATCH', text, ...defined({ limit: present }), value: slot };
  }
  if (present === undefined || in_slot < maxOrdersPerSlot(terms)) return undefined;
  return {
    reason: 'MANDATE_SLOT_USED',
    text: `the mandate is already used up for ${present}`,
    limit: String(maxOrdersPerSlot(terms)),
    value: String(in_slot + 1),
  };
}

/** Returns the maximum number of orders for a symbol and side: per slot or, if there is no schedule, in total. */
export function maxOrdersPerSlot({
  cadence,
  orders_per_slot = 1,
  max_orders,
}: Pick<MandateEnvelope, 'orders_per_slot' | 'max_orders'> & { readonly cadence: Cadence }): number {
  return cadence === 'on_demand' ? max_orders : orders_per_slot;
}

interface OrderUnder {
  readonly draft: OrderDraft;
  readonly slot: string | undefined;
  readonly jkt?: string | undefined;
  readonly rules: Rules;
}

/**
 * Returns why a mandate doesn't cover an order, or why the rules require a tap despite the mandate; empty if neither
 * applies. Synchronous and without side effects, because it runs before approval is requested, and again in the
 * transaction that claims the order.
 */
export function findMandateMismatches(
  mandate: MandateWithUse,
  { draft, slot, jkt, rules }: OrderUnder,
  now: number,
): UncoveredReason[] {
  const { notional } = countedSize(draft);
  const used = { ...mandate.used, state: effectiveMandateState(mandate, now), in_slot: mandate.inSlot };
  const order = { draft, notional, slot, jkt, policy: rules.digest };
  const { environment } = draft;
  const untapped = findMissingTapObjection(rules.limitsOf(draft.account), { environment, order: { notional } });
  return collectObjections<UncoveredReason>(findReasonsOutsideMandate(mandate.terms, used, order, now), untapped);
}
