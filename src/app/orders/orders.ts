import type { ApprovalView, RunStatus } from '../../agent/events.ts';
import type { ErrorObject } from '../../errors/error-object.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { AccountName } from '../../trading/account-entry.ts';
import type { ProposalRequestInput } from '../../trading/proposal.ts';
import type { Order } from '../../trading/views.ts';
import { forEachAccount, type MissingAccount, type MultiAccountApp, resolveSelectedAccounts } from '../accounts.ts';
import type { App } from '../app.ts';
import { resolveIdPrefix } from '../resolve-prefix.ts';

export type OrderRow = Order & Partial<AccountName>;

interface OrderList {
  readonly orders: readonly OrderRow[];
  readonly missing: readonly MissingAccount[];
}

/** Lists orders of the selected account, or of all accounts. @throws {TradeAgentError} `login_required` */
export async function listOrders(
  app: OrderApp,
  query: { readonly status: 'open' | 'closed' | 'all'; readonly limit: number },
): Promise<OrderList> {
  if (!app.isAllAccounts) return { orders: await (await app.gateway()).orders(query), missing: [] };
  const { read, missing } = await forEachAccount(app, await app.accounts(), async (own) =>
    (await own.gateway()).orders(query),
  );
  const orders = read.flatMap(({ at, value }) => value.map((order) => toOrderRow(order, at)));
  return { orders: orders.toSorted(newestFirst).slice(0, query.limit), missing };
}

function toOrderRow(order: Order, { account, broker, label }: AccountName): OrderRow {
  return { ...order, account, broker, label };
}

function newestFirst(a: Order, b: Order): number {
  return Date.parse(b.submitted_at) - Date.parse(a.submitted_at);
}

/** Finds an order by the broker's ID or a prefix. @throws {TradeAgentError} any error from {@link locateOrder} */
export async function findOrder(app: OrderApp, id: string): Promise<OrderRow> {
  const { gateway, id: whole, at } = await locateOrder(app, id);
  const order = await gateway.order(whole);
  return at === undefined ? order : toOrderRow(order, at);
}

/** The outcome of a requested order. `order … --output json` prints all these fields, plus the schema. */
export interface OrderOutcome {
  readonly status: RunStatus;
  /** The idempotency key. Null if nothing was proposed. */
  readonly key: string | null;
  readonly approval: ApprovalView | null;
  readonly order: Order | null;
  readonly error?: ErrorObject;
}

/**
 * Cancels an order. Canceling an order that protects a position requires approval.
 * @param id the broker's ID or a prefix
 * @param ask requests the approval
 * @returns the order after the cancellation, including its fills, and the approval request
 * @throws {TradeAgentError} `gateway_refused`, and any error from {@link locateOrder} or `ask`
 */
export async function cancelOrder(
  app: OrderApp,
  id: string,
  ask: (request: ProposalRequestInput) => Promise<OrderOutcome>,
): Promise<OrderOutcome> {
  const place = await locateOrder(app, id);
  const { gateway, id: whole } = place;
  let outcome: OrderOutcome = { status: 'done', key: null, approval: null, order: null };
  try {
    await gateway.cancelOrder(whole);
  } catch (error) {
    if (!isTradeAgentError(error) || error.details.problem !== 'approval_required') throw error;
    outcome = await ask(cancelProposal(place));
  }
  return outcome.status === 'done' ? { ...outcome, order: await gateway.order(whole) } : outcome;
}

function cancelProposal({ id, at }: OrderLocation): ProposalRequestInput {
  return {
    kind: 'cancel',
    cancel: { ...buildAccountField(at), order_id: id },
    requested_by: 'order cancel',
    provenance: { fields: { ...buildAccountProvenance(at), order_id: { source: 'user' } } },
  };
}

export type OrderApp = MultiAccountApp & Pick<App, 'gateway'>;

export interface OrderLocation {
  readonly id: string;
  readonly gateway: GatewayClient;
  /** The order's account. Undefined if the person has only one account or selected an account. */
  readonly at: (AccountName & { readonly account: string }) | undefined;
}

/** Maximum number of orders that are searched for a prefix, newest first: as many as one response can contain. */
const MAX_SEARCHED_ORDERS = 500;

/** Matches a UUID, which identifies a single order. Plain order numbers may occur at two brokers. */
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Finds an order by its ID or a prefix, in the selected account or else in any of the person's accounts. Fails if a
 * matching order could also be in an account that can't be read.
 * @throws {TradeAgentError} `usage` for an ambiguous prefix or an order in several accounts; `not_found` if no account
 *   has the order; `gateway_refused` if an account that may have the order can't be read; `login_required`
 */
export async function locateOrder(app: OrderApp, typed: string): Promise<OrderLocation> {
  const entries = await resolveSelectedAccounts(app);
  if (entries === undefined) {
    const gateway = await app.gateway();
    return { id: await resolveOrderId(typed, () => listOrderIds(gateway)), gateway, at: undefined };
  }
  const unlisted = new Map<string, MissingAccount>();
  const id = await resolveOrderId(typed, async () => {
    const lists = await forEachAccount(app, entries, async (own) => listOrderIds(await own.gateway()));
    for (const one of lists.missing) unlisted.set(one.broker, one);
    return lists.read.flatMap(({ value }) => value);
  });
  const { read, missing } = await forEachAccount(app, entries, async (own) => {
    const gateway = await own.gateway();
    return { gateway, isThere: await hasOrder(gateway, id) };
  });
  const found = read.filter(({ value }) => value.isThere);
  const [first, another] = found;
  if (another !== undefined) throw ambiguousAccount(id, found);
  const [silent] = [...missing, ...unlisted.values()];
  if (silent !== undefined && (first === undefined || !uuidPattern.test(typed))) throw accountUnreadable(typed, silent);
  if (first === undefined) throw orderNotFound(typed);
  const { account, broker, label } = first.at;
  return { id, gateway: first.value.gateway, at: { account, broker, label } };
}

function resolveOrderId(typed: string, list: () => Promise<readonly string[]>): Promise<string> {
  return resolveIdPrefix(typed, { called: 'orders', whole: uuidPattern, list });
}

async function listOrderIds(gateway: GatewayClient): Promise<string[]> {
  const orders = await gateway.orders({ status: 'all', limit: MAX_SEARCHED_ORDERS });
  return orders.flatMap(({ id, legs = [] }: Order) => [id, ...legs.map((leg) => leg.id)]);
}

async function hasOrder(gateway: GatewayClient, id: string): Promise<boolean> {
  try {
    await gateway.order(id);
    return true;
  } catch (error) {
    if (isTradeAgentError(error) && error.code === 'not_found') return false;
    throw error;
  }
}

function ambiguousAccount(id: string, where: readonly { readonly at: AccountName }[]): TradeAgentError {
  return new TradeAgentError('usage', `several of your accounts have an order "${safeLine(id, 64)}"`, {
    hint: `Choose the account: ${where.map(({ at }) => `--account ${safeLine(at.account ?? '')}`).join(' or ')}.`,
  });
}

function accountUnreadable(typed: string, { label, message }: MissingAccount): TradeAgentError {
  return new TradeAgentError(
    'gateway_refused',
    `"${safeLine(typed, 64)}" may be an order at ${safeLine(label)}, but its orders can’t be read right now: ${safeLine(message)}`,
    { hint: 'Try again in a moment, or choose the account with --account.' },
  );
}

function orderNotFound(typed: string): TradeAgentError {
  return new TradeAgentError('not_found', `none of your accounts has an order "${safeLine(typed, 64)}"`, {
    hint: 'List them with "trade-agent orders --account all".',
  });
}

/** Returns the `account` field for a request about an order that `locateOrder` found. */
export function buildAccountField(at: OrderLocation['at']): { readonly account?: string } {
  return at === undefined ? {} : { account: at.account };
}

export function buildAccountProvenance(at: OrderLocation['at']) {
  return at === undefined ? {} : { account: { source: 'computed' as const, from: 'the account of the order' } };
}
