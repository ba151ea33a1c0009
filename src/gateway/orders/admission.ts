import type { Clock } from '../../machine/clock.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Order } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';
import type { OpenAccount, OpenAccountOf } from '../broker/accounts.ts';
import type { Submission } from '../broker/broker.ts';
import { requireUnexpired } from '../door/approved-details.ts';
import type { Caller } from '../door/caller.ts';
import type { Asked, OrderRules } from '../policy/order-rules.ts';
import { type OrderWorld, openOrders, requireSymbol } from '../policy/order-world.ts';
import { type ApprovedOrder, ORDER } from './approved-order.ts';
import { requireAccount } from './cancel-desk.ts';
import { changesTo, notReplaceable } from './replacement.ts';

export interface AdmissionOptions {
  readonly rules: OrderRules;
  readonly brokerFor: OpenAccountOf;
  readonly environment: 'paper' | 'live';
  readonly clock: Clock;
}

/** An order, the world it is decided by, and the one request that sends it. */
export interface Admitted {
  readonly broker: OpenAccount;
  readonly asked: Asked;
  readonly world: OrderWorld;
  readonly send: () => Promise<Submission>;
}

/**
 * Reads the world of an approved order, and checks time, environment and account. Uses nothing up. The caller asks the
 * rules: in the transaction that claims it, or by `requireAllowed` if it is claimed already.
 * @param early open orders requested a moment ago
 */
export async function admit(
  { draft, replaces }: ApprovedOrder,
  caller: Caller,
  options: AdmissionOptions,
  early?: Promise<readonly Order[]>,
): Promise<Admitted> {
  const { rules } = options;
  requireUnexpired(draft.expires_at, ORDER, options.clock);
  if (draft.environment !== options.environment) {
    throw new Refusal(
      403,
      'environment_mismatch',
      `this gateway trades ${options.environment} accounts only`,
      {
        fields: ['environment'],
        challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
      },
    );
  }
  const broker = await options.brokerFor(caller, draft.account);
  const world = requireSymbol(await rules.worlds(broker, [draft.symbol], early), draft.symbol);
  requireAccount(world.account, draft);
  const send = await sending(draft, replaces, broker);
  // Again: the broker may have been slow.
  requireUnexpired(draft.expires_at, ORDER, options.clock);
  return { broker, asked: { subject: subjectOf(caller, draft), draft, replaces }, world, send };
}

function subjectOf(caller: Caller, { mandate }: OrderDraft): Asked['subject'] {
  const { sub, clientId = '', membership, proposer, approvers, acr } = caller;
  const approval = mandate === undefined ? 'tap' : 'mandate';
  const whose = proposer ?? { sub, client: clientId, membership };
  return {
    sub: whose.sub,
    client: whose.client,
    membership: whose.membership,
    owner: sub,
    approval,
    approvers: approvers ?? [sub],
    acr,
  };
}

/** @throws {Refusal} 409 `not_replaceable` */
async function sending(
  draft: OrderDraft,
  replaces: string | undefined,
  broker: OpenAccount,
): Promise<Admitted['send']> {
  if (replaces === undefined) return () => broker.submit(boundedOrder(draft));
  const earlier = await broker.order(replaces);
  if (earlier === undefined) throw notReplaceable('there is no such order in this account');
  const changes = changesTo(draft, earlier, broker.traits);
  return () => broker.replace(replaces, { order: draft, changes });
}

/** Older answers are not used, milliseconds. */
const FRESH_MS = 1_000;
const MOST = 100;

export type EarlyOrders = ReturnType<typeof createEarlyOrders>;

/**
 * Requests open orders while the kernel still commits that an order is carried out. Everything else a decision needs must
 * be read after them (`readWorlds`), so this saves a round trip between tap and fill.
 */
export function createEarlyOrders(brokerFor: OpenAccountOf, clock: Pick<Clock, 'now'>) {
  const asked = new Map<string, { readonly at: number; readonly orders: Promise<readonly Order[]> }>();
  return {
    /** Never fails; errors go to whoever takes it. */
    ask(draft: OrderDraft, caller: Caller): void {
      if (asked.size >= MOST) asked.clear();
      const orders = brokerFor(caller, draft.account).then(openOrders);
      orders.catch(() => undefined);
      asked.set(keyOf(draft, caller), { at: clock.now(), orders });
    },
    /** Once; undefined if nothing was requested, or too long ago. */
    take(draft: OrderDraft, caller: Caller): Promise<readonly Order[]> | undefined {
      const key = keyOf(draft, caller);
      const early = asked.get(key);
      asked.delete(key);
      return early !== undefined && clock.now() - early.at <= FRESH_MS ? early.orders : undefined;
    },
  };
}

const keyOf = ({ account, client_order_id }: OrderDraft, { sub }: Caller) =>
  JSON.stringify([sub, account, client_order_id]);
