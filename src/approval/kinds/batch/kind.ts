import type { Clock } from '../../../machine/clock.ts';
import { formatDollarAmount, formatShares } from '../../../trading/amounts.ts';
import { orderDigest } from '../../../trading/approval-details.ts';
import { contractMultiplier } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import { purchaseFeeWords, saleFeeWords } from '../../../trading/fee-words.ts';
import type { HttpProblem } from '../../../trading/http-problem.ts';
import {
  type BatchRequest,
  type BatchResult,
  type BatchSubject,
  batch,
  describeBatchOutcome,
  rejectExits,
} from '../../../trading/kinds/batch.ts';
import type { BatchLine } from '../../../trading/kinds/kind-words.ts';
import type { OrderProposalRequest } from '../../../trading/kinds/order.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import { invalidOrderError } from '../../../trading/order-problem.ts';
import { orderHeadline } from '../../../trading/order-words.ts';
import type { WorstCase } from '../../../trading/proposal.ts';
import { isFinalStatus, type Order } from '../../../trading/views.ts';
import { computeWorstCase } from '../../../trading/worst-case.ts';
import type { Approval, ExecutionOutcome, Kind, Proposer } from '../../kind.ts';
import { toDisplayedAccount, toExecution, toHttpProblem } from '../execution.ts';
import { orderEffects } from '../order/effects.ts';
import {
  describeOrderState,
  draftOrder,
  type OrderContext,
  type OrderPorts,
  orderFingerprint,
  requireWellFormedOrder,
} from '../order/kind.ts';

export interface BatchPorts extends OrderPorts {
  /** Like {@link OrderPorts.orderContext}, for several symbols at the same time. */
  orderContexts(
    proposer: Proposer,
    account: string | undefined,
    symbols: readonly string[],
  ): Promise<ReadonlyMap<string, OrderContext>>;
}

/** How long purchases wait for the sales that pay for them, and how often the sales are checked, in milliseconds. */
const SALES_WAIT_MS = 15_000;
const SALES_CHECK_INTERVAL_MS = 500;

/**
 * Returns the kind of proposal that consists of several orders, approved with one tap. The order service places each
 * order like any other: once, within its own bounds.
 *
 * The journal claims each order separately, under the approval's ID and the order's position in the batch, so a call
 * that is repeated after a crash continues with the right order. Nothing is sent while the outcome of the previous
 * order is unknown. After an order is placed, the batch can neither be withdrawn nor expire: it is `unknown` until all
 * outcomes are known.
 */
export function batchKind(
  ports: BatchPorts,
  clock: Pick<Clock, 'now' | 'sleep'>,
): Kind<BatchRequest, BatchSubject, BatchResult> {
  return {
    ...batch,
    complete: ({ orders, on_failure }, context) => completeBatch(ports, orders, on_failure, context),
    describe: ({ orders }) =>
      `${orders.length} ORDERS ${orders.map(({ side, symbol }) => `${side === 'sell' ? '-' : '+'}${symbol}`).join(' ')}`,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ orders, on_failure }) => JSON.stringify([on_failure, orders.map(orderFingerprint).sort()]),
    execute: (subject, approved) => executeBatch(ports, clock, subject, approved),
    settle: (subject, session) => settleBatch(ports, clock, subject, session),
    async abandon({ orders }, sub) {
      for (const { client_order_id } of orders) await ports.abandon(sub, client_order_id);
    },
    isCorrected: (before, { lines }) =>
      lines.some((line, at) => isPlaced(line) && before.lines[at]?.outcome !== 'placed'),
    isOver: ({ lines }) => openOrders(lines).length === 0,
    news({ account }, { lines }, session) {
      const open = openOrders(lines);
      return open.length === 0 ? undefined : ports.news(session, account, open);
    },
    async follow({ account }, { lines }, session) {
      if (openOrders(lines).length === 0) return undefined;
      const looked = lines.map(async (line) =>
        line.order === undefined || isFinalStatus(line.order.status)
          ? line
          : {
              ...line,
              order: (await ports.order(session, account, line.order.id, line.client_order_id)) ?? line.order,
            },
      );
      return { lines: await Promise.all(looked) };
    },
    resultText: (result) => {
      const orders = result.lines.flatMap(({ order }) => (order === undefined ? [] : [order]));
      return [
        describeBatchOutcome(result.lines),
        ...orders.map((order) => `${order.symbol} ${describeOrderState(order)}`),
      ].join('; ');
    },
  };
}

function openOrders(lines: BatchResult['lines']): Order[] {
  return lines.flatMap(({ order }) => (order === undefined || isFinalStatus(order.status) ? [] : [order]));
}

async function completeBatch(
  ports: BatchPorts,
  requests: readonly OrderProposalRequest[],
  onFailure: BatchSubject['on_failure'],
  { proposer, subjectId, expiresAt }: { proposer: Proposer; subjectId: string; expiresAt: string },
) {
  const symbols = requests.map(({ symbol }) => symbol);
  const twice = symbols.find((symbol, at) => symbols.indexOf(symbol) !== at);
  if (twice !== undefined) {
    throw toHttpProblem(
      invalidOrderError(`${twice} appears in more than one order`, 'Propose only one order for each symbol.', 'orders'),
    );
  }
  for (const request of requests) {
    requireWellFormedOrder(request);
    requireNoLegs(request);
  }
  const inOrder = [...requests].sort((a, b) => Number(a.side === 'buy') - Number(b.side === 'buy'));
  const account = requests[0]?.account;
  if (requests.some((one) => one.account !== account)) {
    throw toHttpProblem(
      invalidOrderError('these orders are for more than one account', 'Propose one batch for each account.', 'orders'),
    );
  }
  const worlds = await ports.orderContexts(proposer, account, symbols);
  const drafts: OrderDraft[] = [];
  const needs = { needsSecond: false, needsCode: false, policy: '' };
  for (const [at, request] of inOrder.entries()) {
    const world = worlds.get(request.symbol);
    if (world === undefined) throw new TypeError('a symbol has no market data');
    const paid = { ...world, account: accountAfter(drafts, world.account) };
    const draft = draftOrder(request, paid, ports, { subjectId: `${subjectId}-${at + 1}`, expiresAt });
    const allowed = await world.requireAllowed(draft, { after: drafts });
    needs.needsSecond ||= allowed.needsSecond;
    needs.needsCode ||= allowed.needsCode;
    needs.policy = allowed.policy;
    drafts.push(draft);
  }
  const { shows, warnings, ...effects } = batchEffects(drafts, worlds);
  const [first] = [...worlds.values()] as [OrderContext, ...OrderContext[]];
  return {
    subject: {
      account: first.account.account,
      environment: first.account.environment,
      orders: drafts,
      on_failure: onFailure,
      client_batch_id: subjectId,
      expires_at: expiresAt,
    },
    subjectId,
    ...needs,
    ...effects,
    warnings,
    shows: { ...toDisplayedAccount(first), ...shows },
  };
}

/** Requires that an order has no legs. @throws {HttpProblem} 400 `invalid_order` */
function requireNoLegs(request: OrderProposalRequest): void {
  try {
    rejectExits(request);
  } catch (error) {
    throw toHttpProblem(error);
  }
}

/**
 * Returns the account with the least buying power that these orders can leave: sales bring in their minimum, and
 * purchases cost their maximum.
 */
function accountAfter(drafts: readonly OrderDraft[], account: OrderContext['account']): OrderContext['account'] {
  const power = drafts.reduce(
    (left, draft) => left.plus(worstCaseDollars(draft).times(draft.side === 'buy' ? -1 : 1)),
    new Dec(account.buying_power),
  );
  return { ...account, buying_power: Dec.max(power, 0).toFixed(2) };
}

async function executeBatch(
  ports: BatchPorts,
  clock: Pick<Clock, 'now' | 'sleep'>,
  { account, orders, on_failure }: BatchSubject,
  approved: Approval,
): Promise<ExecutionOutcome<BatchResult>> {
  const lines: BatchLine[] = [];
  let first: HttpProblem | undefined;
  for (const [at, draft] of orders.entries()) {
    const { client_order_id } = draft;
    if (first !== undefined && on_failure === 'stop') {
      lines.push({ client_order_id, outcome: 'not_sent' });
      continue;
    }
    if (draft.side === 'buy' && orders[at - 1]?.side === 'sell')
      await waitForSales(ports, clock, { account, lines }, approved);
    const own = { ...approved, jti: `${approved.jti}#${at + 1}` };
    const came = await toExecution(() => ports.place({ draft, digest: orderDigest(draft) }, own));
    switch (came.outcome) {
      case 'executed':
        lines.push({ client_order_id, outcome: 'placed', order: came.result });
        break;
      case 'refused':
        if (isRateLimited(came.refusal)) return retryLater(lines, came.refusal);
        first ??= came.refusal;
        lines.push(refusedLine(draft, came.refusal));
        break;
      case 'not_taken':
        return retryLater(lines, came.refusal);
      case 'unknown':
        return came;
    }
  }
  if (first !== undefined && !lines.some(isPlaced)) return { outcome: 'refused', refusal: first };
  return { outcome: 'executed', result: { lines } };
}

/** Returns whether only the rate limit blocked an order, which is then sent later, while the approval is valid. */
function isRateLimited({ options }: HttpProblem): boolean {
  const reasons = options.members?.reasons;
  return Array.isArray(reasons) && reasons.every((reason) => reason === 'RATE_EXCEEDS_MAX_PER_MINUTE');
}

/** Returns the outcome of a batch whose next order has to wait: `not_taken` only if no order has been placed. */
function retryLater(lines: readonly BatchLine[], refusal: HttpProblem): ExecutionOutcome<BatchResult> {
  if (!lines.some(isPlaced)) return { outcome: 'not_taken', refusal };
  return {
    outcome: 'unknown',
    text: `${describeBatchOutcome(lines)}; the next order will be tried again: ${refusal.message}`,
  };
}

/**
 * Waits briefly for open sales, because the next purchase may need their proceeds. The broker decides whether the
 * proceeds suffice.
 */
async function waitForSales(
  ports: BatchPorts,
  clock: Pick<Clock, 'now' | 'sleep'>,
  { account, lines }: { readonly account: string; readonly lines: readonly BatchLine[] },
  approved: Approval,
): Promise<void> {
  const session = { ...approved, clientId: approved.clientId ?? '' };
  const until = clock.now() + SALES_WAIT_MS;
  let open = lines.flatMap(({ order }) => (order === undefined || isFinalStatus(order.status) ? [] : [order]));
  while (open.length > 0 && clock.now() < until) {
    await clock.sleep(SALES_CHECK_INTERVAL_MS);
    const seen = await Promise.all(open.map((order) => lookUpOrder(ports, session, account, order)));
    open = seen.flatMap((order) => (order === undefined || isFinalStatus(order.status) ? [] : [order]));
  }
}

/** Looks up an order. Returns undefined if the lookup fails; the broker then decides whether to accept the purchase. */
async function lookUpOrder(
  ports: BatchPorts,
  session: Proposer,
  account: string,
  { id, client_order_id }: Order,
): Promise<Order | undefined> {
  const seen = await toExecution(() => ports.order(session, account, id, client_order_id));
  return seen.outcome === 'executed' ? seen.result : undefined;
}

/**
 * Looks up the outcome of each order; sends nothing. An order that the order service never received may still be sent
 * until the batch expires, and is reported as not sent only after that.
 */
async function settleBatch(
  ports: BatchPorts,
  clock: Pick<Clock, 'now'>,
  { orders, expires_at }: BatchSubject,
  session: Proposer,
): Promise<ExecutionOutcome<BatchResult> | undefined> {
  const lines: BatchLine[] = [];
  let first: HttpProblem | undefined;
  for (const draft of orders) {
    const { client_order_id } = draft;
    const found = await toExecution(() => ports.outcome(session, client_order_id));
    if (found.outcome === 'refused') {
      first ??= found.refusal;
      lines.push(refusedLine(draft, found.refusal));
    } else if (found.outcome !== 'executed') return found;
    else if (found.result === undefined) lines.push({ client_order_id, outcome: 'not_sent' });
    else lines.push({ client_order_id, outcome: 'placed', order: found.result });
  }
  if (lines.every(({ outcome }) => outcome === 'not_sent')) return undefined;
  if (lines.some(({ outcome }) => outcome === 'not_sent') && clock.now() < Date.parse(expires_at)) {
    return { outcome: 'unknown', text: `${describeBatchOutcome(lines)}; the remaining orders may still be sent` };
  }
  if (first !== undefined && !lines.some(isPlaced)) return { outcome: 'refused', refusal: first };
  return { outcome: 'executed', result: { lines } };
}

function refusedLine({ client_order_id }: OrderDraft, { code, message }: HttpProblem): BatchLine {
  return { client_order_id, outcome: 'refused', reason: { code, text: message } };
}

function isPlaced({ outcome }: BatchLine): boolean {
  return outcome === 'placed';
}

type Decimal = InstanceType<typeof Dec>;

/** Returns the worst case or, if the order has no bound, its value at the reference price. */
function worstCaseDollars(draft: OrderDraft): Decimal {
  const { cash } = computeWorstCase(draft);
  return cash === null
    ? new Dec(draft.qty ?? 0).times(contractMultiplier(draft.symbol)).times(draft.reference_price)
    : new Dec(cash);
}

/** Returns the worst case of all orders together, a line for each order on the phone, and the cash before and after. */
function batchEffects(
  drafts: readonly OrderDraft[],
  worlds: ReadonlyMap<string, OrderContext>,
): {
  readonly worstCase: WorstCase;
  readonly shows: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
} {
  const total = (side: OrderDraft['side']) =>
    drafts.filter((draft) => draft.side === side).reduce((sum, draft) => sum.plus(worstCaseDollars(draft)), new Dec(0));
  const [costs, brings] = [total('buy'), total('sell')];
  const [cash] = [...worlds.values()].map(({ account }) => account.cash);
  const after = new Dec(cash ?? 0).plus(brings).minus(costs);
  const lines = drafts.map((draft, at) => [`${at + 1}`, batchLineText(draft, worlds.get(draft.symbol))] as const);
  return {
    worstCase: batchWorstCase(drafts, costs, brings),
    shows: {
      ...Object.fromEntries(lines),
      Cash: `${formatDollarAmount(cash ?? '0')} now, ${formatDollarAmount(after.toFixed(2))} after`,
    },
    warnings: drafts.flatMap((draft) => {
      const world = worlds.get(draft.symbol);
      if (world === undefined) return [];
      return orderEffects(draft, computeWorstCase(draft), world).warnings.map((text) => `${draft.symbol}: ${text}`);
    }),
  };
}

function batchWorstCase(drafts: readonly OrderDraft[], costs: Decimal, brings: Decimal): WorstCase {
  const unbounded = drafts.filter((draft) => computeWorstCase(draft).cash === null).map(({ symbol }) => symbol);
  const fees = (side: OrderDraft['side']) => totalFees(drafts.filter((draft) => draft.side === side));
  const texts = [
    ...(costs.isZero()
      ? []
      : [
          `The purchases cost at most ${formatDollarAmount(costs.toFixed(2))}${purchaseFeeWords(fees('buy'))} in total.`,
        ]),
    ...(brings.isZero()
      ? []
      : [
          `The sales bring in at least ${formatDollarAmount(brings.toFixed(2))}${saleFeeWords(fees('sell'))} if everything sells.`,
        ]),
  ];
  if (unbounded.length > 0) {
    const text = `There is no limit on the price of ${unbounded.join(', ')}. ${texts.join(' ')}`;
    return { cash: null, price: null, text };
  }
  return { cash: (costs.isZero() ? brings : costs).toFixed(2), price: null, text: texts.join(' ') };
}

/** Returns the fees of the orders together; undefined if any order's fees are unknown. */
function totalFees(drafts: readonly OrderDraft[]): string | undefined {
  const known = drafts.flatMap(({ max_fees }) => max_fees ?? []);
  return known.length < drafts.length ? undefined : Dec.sum(0, ...known).toFixed(2);
}

/** Returns a line such as `SELL 5 AAPL, market: at least $891.00; 10 held now`. */
function batchLineText(draft: OrderDraft, world: OrderContext | undefined): string {
  const { cash } = computeWorstCase(draft);
  const bound = draft.side === 'sell' ? 'at least' : 'at most';
  const held = world?.positions.find(({ symbol }) => symbol === draft.symbol);
  const before = new Dec(held?.qty ?? 0).times(held?.side === 'short' ? -1 : 1);
  return `${orderHeadline(draft)}${cash === null ? '' : `: ${bound} ${formatDollarAmount(cash)}`}; ${formatShares(before.toFixed())} held now`;
}
