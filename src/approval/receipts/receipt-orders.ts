import { formatDollarAmount } from '../../trading/amounts.ts';
import { contractMultiplier } from '../../trading/asset-class.ts';
import { countedSize } from '../../trading/counted-order.ts';
import { Dec } from '../../trading/decimal.ts';
import { currentSlot } from '../../trading/mandate/cadence.ts';
import { type MandateEnvelope, mandateEnvelopeSchema } from '../../trading/mandate/envelope.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { ProposalState } from '../../trading/proposal.ts';
import type { ApprovedProposal, Receipt, UnsignedReceipt } from '../../trading/receipt.ts';
import type { Order, OrderLeg } from '../../trading/views.ts';
import { boundedOrder, computeWorstCase } from '../../trading/worst-case.ts';
import { hasSameCanonicalForm, ReceiptError } from './receipt-form.ts';

type SentOrder = Receipt['orders'][number];

/** Returns the terms of a signed mandate. @throws {ReceiptError} */
export function mandateTerms({ id, proposal }: NonNullable<Receipt['mandate']>): MandateEnvelope {
  const { approve_by: _, ...subject } = proposal.subject;
  const terms = mandateEnvelopeSchema.safeParse(subject).data;
  if (proposal.kind !== 'mandate' || terms?.mandate_id !== id) throw mandateMismatchError('different id');
  return terms;
}

/**
 * Requires that every term of a mandate allows an order. Does not check the mandate's earlier use or whose key sent the
 * order, because only the gateway knows them.
 * @throws {ReceiptError} `mandate`
 */
export function requireMandateMatch(terms: MandateEnvelope, draft: OrderDraft, { created_at }: ApprovedProposal): void {
  const at = Date.parse(created_at);
  const isInPeriod = at >= Date.parse(terms.not_before) && at < Date.parse(terms.expires_at);
  const rows: readonly (readonly [isCovered: boolean, what: string])[] = [
    ...scopeRows(terms, draft),
    ...amountRows(terms, draft),
    [draft.slot === currentSlot(terms.cadence, at), 'different period'],
    [isStandingOrder(terms, draft), 'differs from its standing order'],
    [isInPeriod, 'proposed outside its period'],
  ];
  const [, outside] = rows.find(([isCovered]) => !isCovered) ?? [];
  if (outside !== undefined) throw mandateMismatchError(outside);
}

function scopeRows(terms: MandateEnvelope, draft: OrderDraft): (readonly [isCovered: boolean, what: string])[] {
  const isSameAccount = terms.account === draft.account && terms.environment === draft.environment;
  return [
    [draft.mandate === terms.mandate_id, 'different id'],
    [isSameAccount, 'different account'],
    [terms.symbols.includes(draft.symbol), 'symbol not included'],
    [terms.sides.includes(draft.side), 'it does not include this side, buy or sell'],
    [(terms.order_types as readonly string[]).includes(draft.type), 'order type not included'],
    [draft.order_class === undefined, 'orders with legs not included'],
    [terms.times_in_force.includes(draft.time_in_force), 'time in force not included'],
    [!draft.extended_hours, 'extended hours not included'],
  ];
}

function amountRows(terms: MandateEnvelope, draft: OrderDraft): (readonly [isCovered: boolean, what: string])[] {
  const { notional } = countedSize(draft);
  const isWithin = (limit = terms.max_total_notional) => notional !== null && new Dec(notional).lte(limit);
  return [
    [isWithin(terms.max_order_notional), 'above the maximum per order'],
    [isWithin(terms.max_day_notional), 'above the maximum per day'],
    [isWithin(), 'above the maximum for all orders'],
    [isWithinBand(terms, draft), 'price outside its range'],
    [new Dec(draft.max_slippage).lte(terms.max_slippage), 'more slippage than it allows'],
  ];
}

export function mandateMismatchError(what: string): ReceiptError {
  return new ReceiptError('mandate', `the mandate does not match this order: ${what}`);
}

/** Returns whether the symbol's price band contains the order's worst price, limit price and reference price. */
function isWithinBand({ price = {} }: MandateEnvelope, draft: OrderDraft): boolean {
  const band = Object.hasOwn(price, draft.symbol) ? price[draft.symbol] : undefined;
  if (band === undefined) return true;
  const { reference_price, limit_price = reference_price, side } = draft;
  const worst = boundedOrder(draft).limit_price;
  if (worst === undefined) return false;
  const lowest = side === 'buy' ? Dec.min(limit_price, reference_price) : new Dec(worst);
  const highest = side === 'buy' ? new Dec(worst) : Dec.max(limit_price, reference_price);
  return !(band.min !== undefined && lowest.lt(band.min)) && !(band.max !== undefined && highest.gt(band.max));
}

/** Returns whether an order matches the mandate's standing order, if any. Sales in dollars are converted to shares. */
function isStandingOrder({ standing }: MandateEnvelope, draft: OrderDraft): boolean {
  if (standing === undefined) return true;
  const { symbol, side, type, time_in_force, qty, notional, limit_price } = standing.order;
  if (draft.symbol !== symbol || draft.side !== side) return false;
  if (draft.type !== type || draft.time_in_force !== time_in_force) return false;
  if (!isSameAmount(draft.limit_price, limit_price)) return false;
  if (side === 'buy' || notional === undefined) {
    return isSameAmount(draft.qty, qty) && isSameAmount(draft.notional, notional);
  }
  return draft.qty !== undefined && new Dec(draft.qty).times(draft.reference_price).lte(notional);
}

function isSameAmount(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined ? one === other : new Dec(one).eq(other);
}

/**
 * Requires that the stated worst case matches the orders, because under a mandate no key signs the worst case.
 * @throws {ReceiptError} `proposal`
 */
export function requireWorstCase({ kind, worst_case }: ApprovedProposal, drafts: readonly OrderDraft[]): void {
  const all = drafts.map((draft) => ({ side: draft.side, ...computeWorstCase(draft) }));
  const total = (side: 'buy' | 'sell') =>
    Dec.sum(0, ...all.flatMap((one) => (one.side === side ? [one.cash ?? 0] : [])));
  const costs = total('buy');
  const [only] = all;
  const isUnbounded = all.some(({ cash }) => cash === null);
  const cash = isUnbounded ? null : (costs.isZero() ? total('sell') : costs).toFixed(2);
  const price = kind === 'batch' ? null : only?.price;
  const text = cash === null ? '' : formatDollarAmount(cash);
  if (worst_case?.cash === cash && worst_case.price === price && worst_case.text.includes(text)) return;
  throw new ReceiptError('proposal', 'the worst case is not that of the order');
}

/** Requires that every order that was sent was approved, and that the broker's response is about that order. */
export function requireApprovedOrders(approved: readonly OrderDraft[], orders: Receipt['orders']): void {
  let last = -1;
  for (const { client_order_id: id, order, state, answered, problem } of orders) {
    const wrong = (what: string) => new ReceiptError('order', `order ${id} ${what}`);
    const place = approved.findIndex(({ client_order_id }) => client_order_id === id);
    const draft = approved[place];
    if (draft === undefined) throw wrong('was not approved');
    if (!hasSameCanonicalForm(draft, order)) throw wrong('differs from what was approved');
    if (place <= last) throw wrong('is listed twice or out of order');
    last = place;
    if ((state === 'placed') !== (answered !== null) || (state === 'rejected') !== (problem !== null)) {
      throw wrong('has a broker response that contradicts its state');
    }
    if (answered === null) continue;
    if (answered.client_order_id !== id || answered.symbol !== draft.symbol || answered.side !== draft.side) {
      throw wrong('has a broker response about a different order');
    }
  }
}

/** The states that an order may have, by its proposal's state. Proposals in any other state have sent no orders. */
const orderStatesByState: Readonly<Partial<Record<ProposalState, readonly SentOrder['state'][]>>> = {
  approved: ['intent', 'rejected'],
  executing: ['intent', 'placed', 'rejected', 'unknown'],
  unknown: ['intent', 'placed', 'rejected', 'unknown'],
  executed: ['placed', 'rejected'],
  blocked: ['intent', 'rejected', 'unknown'],
  expired: ['intent', 'rejected'],
  cancelled: ['intent', 'rejected'],
};

/** Requires that the proposal's state, its orders' states and their submissions agree. @throws {ReceiptError} `state` */
export function requireMatchingStates({ state, proposal, orders }: UnsignedReceipt): void {
  const wrong = (what: string) => new ReceiptError('state', what);
  const possible = orderStatesByState[state] ?? [];
  const isSettled = !['executing', 'unknown', 'blocked'].includes(state);
  for (const { client_order_id: id, state: its, submitted_at } of orders) {
    if (!possible.includes(its)) throw wrong(`order ${id} is ${its} although its proposal is ${state}`);
    if (submitted_at === null ? its === 'placed' || its === 'unknown' : its === 'intent' && isSettled) {
      throw wrong(`order ${id} is ${its}, which its time of submission contradicts`);
    }
  }
  const placed = orders.filter((one) => one.state === 'placed').length;
  if (state === 'executed' && (placed === 0 || (proposal.kind !== 'batch' && placed < orders.length))) {
    throw wrong('the proposal is executed although its order was not placed');
  }
}

/**
 * Requires that the broker's responses, and its later reports, stay within the approved worst case.
 * @throws {ReceiptError} `exceeded`
 */
export function requireWithinWorstCase({ proposal, orders }: UnsignedReceipt, reports: readonly Order[]): void {
  let spent = new Dec(0);
  for (const { client_order_id: id, order, answered } of orders) {
    const told = [answered ?? [], ...reports.filter((one) => one.client_order_id === id)].flat();
    const excess = told
      .flatMap((one) => [one, ...(one.legs ?? [])].map((part) => findExcess(order, part, isEntry(order, part, one))))
      .find((what) => what !== undefined);
    if (excess !== undefined)
      throw new ReceiptError('exceeded', `the broker exceeded what was approved: order ${id} ${excess}`);
    if (order.side === 'buy') spent = spent.plus(Dec.max(0, ...told.map((one) => filledDollars(order, one))));
  }
  const { cash = null } = proposal.worst_case ?? {};
  // The broker's responses do not contain the fees, which are part of the approved cash.
  const fees = orders.flatMap(({ order: { side, max_fees = '0' } }) => (side === 'buy' ? [max_fees] : []));
  if (
    cash === null ||
    toWholeCents(spent)
      .plus(Dec.sum(0, ...fees))
      .lte(cash)
  )
    return;
  throw new ReceiptError(
    'exceeded',
    `the broker exceeded what was approved: it cost ${formatDollarAmount(spent.toFixed())}`,
  );
}

/** Returns whether this part of the broker's response is the order itself, not a leg that closes the position. */
const isEntry = ({ order_class }: OrderDraft, part: OrderLeg, order: Order) => part === order && order_class !== 'oco';

function findExcess(draft: OrderDraft, part: OrderLeg, entry: boolean): string | undefined {
  const { qty, limit_price, stop_loss_limit_price } = boundedOrder(draft);
  const buys = entry && draft.side === 'buy';
  const bound = entry ? limit_price : stop_loss_limit_price;
  const isBeyond = (price: string | null) =>
    price !== null && bound !== undefined && (buys ? new Dec(price).gt(bound) : new Dec(price).lt(bound));
  const isMore = (amount: string | null, most: string | undefined) =>
    amount !== null && most !== undefined && new Dec(amount).gt(most);
  if (isMore(part.qty, qty) || isMore(part.filled_qty, qty)) return 'is for a larger quantity';
  if (isMore(part.notional, draft.notional)) return 'is for a larger amount';
  if (isBeyond(part.filled_avg_price)) return 'was filled at a worse price';
  if (isBeyond(part.limit_price)) return 'has a worse limit';
  return undefined;
}

function filledDollars({ symbol }: OrderDraft, { filled_qty, filled_avg_price }: OrderLeg): Dec {
  return new Dec(filled_qty).times(filled_avg_price ?? 0).times(contractMultiplier(symbol));
}

/** Rounds down to whole cents, because brokers round the quantity that a dollar amount buys. */
const toWholeCents = (dollars: Dec): Dec => dollars.toDecimalPlaces(2, Dec.ROUND_DOWN);
