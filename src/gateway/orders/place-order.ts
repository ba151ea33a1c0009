import type { IsTakenBack } from '../../approval/kernel-parts.ts';
import type { Keys } from '../../approval/keys/keys.ts';
import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { Halts } from '../../store/halts.ts';
import type { MandateStore } from '../../store/mandate-store.ts';
import type { JournalEntry, OrderJournal, OrderKey } from '../../store/order-journal.ts';
import type { OtherProcesses } from '../../store/other-processes.ts';
import { tradeOrderDetails, tradeOrderDetailsSchema } from '../../trading/approval-details.ts';
import { mandateState } from '../../trading/mandate/mandate-state.ts';
import { checkOrder, normalizeOrder, type OrderDraft, orderDraftSchema } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Order } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';
import type { OpenAccount, OpenAccountOf } from '../broker/accounts.ts';
import type { Submission } from '../broker/broker.ts';
import {
  approvedDetails,
  malformed,
  requireApproved,
  requireUnexpired,
  unsound,
} from '../door/approved-details.ts';
import type { Caller } from '../door/caller.ts';
import { whenLanded } from '../door/landing.ts';
import { ReplayedRefusal, recordedRefusal } from '../door/problem.ts';
import type { Asked, OrderRules } from '../policy/order-rules.ts';
import { type OrderWorld, openOrders, requireSymbol } from '../policy/order-world.ts';
import { createAbsence } from './absence.ts';
import { suspendIfExceeded } from './adoption.ts';
import { requireAccount } from './cancel-desk.ts';
import {
  entryOf,
  type Intent,
  isSettled,
  maySubmitAgain,
  nameOf,
  neverPlaced,
  outcomeUnknown,
  recheck,
  type SubmissionContext,
  settleByLookup,
  submitIntent,
} from './order-submission.ts';
import { changesTo, notReplaceable } from './replacement.ts';

/*
 * Between any two awaits another request, or another process, may do the same. What keeps one approval one order:
 *
 *  1. The claim. In one transaction the journal checks that the client_order_id is free and the approval unused, uses it, and
 *     writes the intent. Whatever was read before decides nothing.
 *  2. The right to send again is taken by a compare-and-set on the entry as it was read, and a refusal is written only
 *     where no submission is in doubt by then (order-submission.ts).
 *  3. Requests for the same order wait for the first: within this process by `arriving`, which is checked and set before the
 *     first await; at another gateway at the row (door/landing.ts). This only spares the person a wrong answer; the journal
 *     would hold without it.
 */

interface OrderDeskOptions extends AdmissionOptions {
  readonly journal: OrderJournal;
  readonly gateway: string;
  /** Together with the token's id, what an approval is used up by. */
  readonly issuer: string;
  readonly detailsType: string;
  readonly halts: Pick<Halts, 'standing'>;
  readonly mandates: Pick<MandateStore, 'find' | 'end'>;
  readonly others?: OtherProcesses | undefined;
  /** If approvals must be signed. */
  readonly signatures?: Pick<Keys, 'check'> | undefined;
  readonly isTakenBack?: IsTakenBack | undefined;
}

interface Placement {
  readonly order: Order;
  /** True if an earlier or concurrent request placed it. */
  readonly replay: boolean;
}

export type OrderDesk = ReturnType<typeof createOrderDesk>;

interface Arrival {
  readonly id: string;
  readonly sub: string;
  readonly placement: Promise<Placement>;
}

interface Desk {
  readonly options: OrderDeskOptions & SubmissionContext;
  /** What this process is sending or settling, by user and client_order_id; requests for the same wait for it. */
  readonly flights: Map<string, Promise<JournalEntry>>;
  /**
   * Requests to place an order, from their arrival on. A proxy may repeat one at once: checked twice, the order could be
   * placed and the answered request be told "price moved".
   */
  readonly arriving: Map<string, Arrival>;
  readonly early: EarlyOrders;
}

export function createOrderDesk(given: OrderDeskOptions) {
  const early = createEarlyOrders(given.brokerFor, given.clock);
  const options = {
    ...given,
    absence: createAbsence(given.clock),
    adopted: (entry: JournalEntry) => suspendIfExceeded(given, entry),
  };
  const desk: Desk = { options, flights: new Map(), arriving: new Map(), early };
  const { gateway, detailsType } = options;
  return {
    /** @throws {Refusal} with a code for each way to fail; {@link ReplayedRefusal} if it is the recorded one */
    async place(caller: Caller, body: unknown): Promise<Placement> {
      const target = { gateway, type: detailsType };
      const approved = approvedOrder(body, caller, target);
      // The details that token and request agree on, so a lying provider can't bypass this with a token of its own.
      const details = tradeOrderDetails(approved.draft, target);
      await options.signatures?.check(details, caller.approvalEvidence, caller.sub);
      return await placeApproved(desk, approved, caller);
    },
    /** Requests early what the decision needs. Never fails. */
    prepare: early.ask,
    /**
     * Places what was approved, or replaces `replaces` by it, exactly once: a repeat is answered from the journal, settled
     * by asking the broker, or sent if that is safe.
     * @param approved fields were already compared with the caller's approval
     * @param caller who approved; its `jti` is used up
     * @throws {Refusal} as `place`, and 409 `not_replaceable`
     */
    placeApproved: (approved: ApprovedOrder, caller: Caller) => placeApproved(desk, approved, caller),
    /**
     * Settles the caller's order by asking the broker; undefined if this gateway never placed it. @throws {Refusal} 504
     * `outcome_unknown`
     */
    settle: (caller: Caller, clientOrderId: string) => settle(desk, caller, clientOrderId),
    /**
     * Looks for an order that was written off, and adopts it. Undefined if this gateway never placed it.
     * @throws {Refusal} as the broker's reads do
     */
    recheck: (caller: Caller, clientOrderId: string) => recheckOrder(desk, caller, clientOrderId),
    /** Its proposal has ended: gives up an order of which nothing was sent, and returns its share of the mandate. */
    async abandon(key: OrderKey): Promise<void> {
      const { journal, clock } = options;
      const problem = neverPlaced('its proposal ended before the broker took the order').toProblem();
      await journal.abandon(key, problem, clock.now());
    },
  };
}

async function placeApproved(desk: Desk, approved: ApprovedOrder, caller: Caller): Promise<Placement> {
  const { arriving } = desk;
  const id = approved.draft.client_order_id;
  const key = JSON.stringify([caller.sub, id, approved.digest, approved.replaces]);
  const same = arriving.get(key);
  if (same !== undefined) return { ...(await same.placement), replay: true };
  const placed = placeOrReplay(desk, approved, caller).finally(() => arriving.delete(key));
  arriving.set(key, { id, sub: caller.sub, placement: placed });
  return placed;
}

async function placeOrReplay(desk: Desk, approved: ApprovedOrder, caller: Caller): Promise<Placement> {
  // Before the expiry check: the outcome may be asked for while the token lives.
  const earlier = await desk.options.journal.find(caller.sub, approved.draft.client_order_id);
  return earlier === undefined ? placeNew(desk, approved, caller) : replay(desk, earlier, approved, caller);
}

async function placeNew(desk: Desk, approved: ApprovedOrder, caller: Caller): Promise<Placement> {
  const { journal, clock, issuer, rules } = desk.options;
  const admitted = await admit(approved, caller, desk.options, desk.early.take(approved.draft, caller));
  failpoint('gateway.verified');
  const { draft, digest, replaces } = approved;
  const { sub, jti } = caller;
  const clientOrderId = draft.client_order_id;
  const { mandate, slot } = draft;
  const claim = { sub, clientOrderId, digest, approval: { issuer, jti }, draft, replaces, mandate, slot };
  // Decided in the transaction, by the current rules: of two concurrent orders the second sees the first.
  const { decide, refusal } = await rules.deciding(admitted.asked, admitted.world);
  switch (await journal.claim(claim, clock.now(), decide)) {
    case 'denied':
      throw refusal();
    case 'approval_used':
      throw new Refusal(403, 'approval_already_used', 'the approval was used for another order', {
        hint: 'Each order needs an approval of its own.',
        challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
      });
    case 'known':
      return replay(desk, await entryOf(journal, claim), approved, caller);
    case 'claimed':
      failpoint('gateway.claimed');
      return placement(await fly(desk, claim, () => submit(desk, claim, admitted, caller)), false);
  }
}

/** The first result; an open one is settled first. */
async function replay(
  desk: Desk,
  entry: JournalEntry,
  approved: ApprovedOrder,
  caller: Caller,
): Promise<Placement> {
  if (entry.digest !== approved.digest || entry.replaces !== approved.replaces) {
    throw new Refusal(409, 'client_order_id_conflict', 'this client_order_id belongs to another order', {
      hint: 'Propose the order again, under another client_order_id.',
      fields: ['client_order_id'],
    });
  }
  if (isSettled(entry)) return placement(entry, true);
  const flight =
    desk.flights.get(nameOf(entry)) ??
    fly(desk, entry, async () => {
      const landed = await afterOthers(desk, entry);
      return isSettled(landed) ? landed : await settleOrSubmit(desk, landed, approved, caller);
    });
  return placement(await flight, true);
}

/** A lookup, and if that is safe, the submission that it never had. */
async function settleOrSubmit(
  desk: Desk,
  entry: JournalEntry,
  approved: ApprovedOrder,
  caller: Caller,
): Promise<JournalEntry> {
  const { journal, clock } = desk.options;
  const { broker, settled } = await askBroker(desk, entry, caller);
  if (settled !== undefined) return settled;
  if (!maySubmitAgain(entry, broker.traits, clock.now())) throw outcomeUnknown(entry.clientOrderId);

  let admitted: Admitted;
  try {
    admitted = await admit(approved, caller, desk.options);
    await desk.options.rules.requireAllowed(admitted.asked, admitted.world, 'order');
  } catch (error) {
    // "Price moved" would invite a new proposal while the order may be at the broker. The real reason is told only if every
    // submission is known to have come to nothing.
    if (entry.submittedAt !== null && error instanceof Refusal) throw outcomeUnknown(entry.clientOrderId);
    throw error;
  }
  if ((await journal.reclaim(entry, clock.now())) === 'stale') throw outcomeUnknown(entry.clientOrderId);
  failpoint('gateway.reclaimed');
  return submit(desk, entry, admitted, caller);
}

async function settle(desk: Desk, caller: Caller, clientOrderId: string): Promise<JournalEntry | undefined> {
  const isArriving = () =>
    [...desk.arriving.values()].some(({ id, sub }) => id === clientOrderId && sub === caller.sub);
  // Asked before and after: it may arrive, or be over, while the journal is read.
  const arrives = isArriving();
  const entry = await desk.options.journal.find(caller.sub, clientOrderId);
  if (entry === undefined) {
    // Not in the journal, but it may still come.
    if (arrives || isArriving()) throw outcomeUnknown(clientOrderId);
    return undefined;
  }
  if (isSettled(entry)) return entry;
  const flight = desk.flights.get(nameOf(entry));
  if (flight !== undefined) return flight;
  const landed = await afterOthers(desk, entry);
  if (isSettled(landed)) return landed;
  const { settled } = await askBroker(desk, landed, caller);
  if (settled === undefined) throw outcomeUnknown(clientOrderId);
  return settled;
}

async function recheckOrder(
  { options, flights }: Desk,
  caller: Caller,
  clientOrderId: string,
): Promise<JournalEntry | undefined> {
  const entry = await options.journal.find(caller.sub, clientOrderId);
  // The process that adopted it may have died before checking the mandate.
  if (entry?.state === 'placed' && entry.writtenOffAt !== null) await options.adopted(entry);
  if (entry === undefined || entry.state !== 'rejected') return entry;
  // The answer to our own request is on its way, and says more than a lookup.
  const flight = flights.get(nameOf(entry));
  if (flight !== undefined) return await flight;
  const broker = await options.brokerFor(caller, entry.draft.account);
  return await recheck(entry, broker, options);
}

/**
 * Looks the order up at the approved account's broker. If the broker can't be asked, an order that was sent stays unknown:
 * any other error could be read as "not placed".
 */
async function askBroker(
  { options }: Desk,
  entry: JournalEntry,
  caller: Caller,
): Promise<{ readonly broker: OpenAccount; readonly settled: JournalEntry | undefined }> {
  try {
    const broker = await options.brokerFor(caller, entry.draft.account);
    return { broker, settled: await settleByLookup(entry, broker, options) };
  } catch (error) {
    if (entry.submittedAt !== null && error instanceof Refusal) throw outcomeUnknown(entry.clientOrderId);
    throw error;
  }
}

/** Waits for another gateway that may be sending it. */
function afterOthers({ options }: Desk, entry: JournalEntry): Promise<JournalEntry> {
  return whenLanded(options, entry, entry.clientOrderId, {
    look: () => entryOf(options.journal, entry),
    isUnderWay: ({ state, submittedAt }) => state === 'intent' && submittedAt !== null,
    since: entry.submittedAt ?? undefined,
  });
}

function submit(
  { options }: Desk,
  intent: Intent,
  { broker, send }: Admitted,
  { proposer, isOurs }: Pick<Caller, 'proposer' | 'isOurs'>,
): Promise<JournalEntry> {
  const stopped = (order: Intent) => stoppedBy(options, order, proposer);
  return submitIntent(intent, send, broker, { ...options, stopped, isOurs });
}

/** Why a claimed order must not be sent after all. */
async function stoppedBy(
  options: OrderDeskOptions,
  { sub, draft }: Intent,
  proposer: Caller['proposer'],
): Promise<Refusal | undefined> {
  const { halts, clock, isTakenBack } = options;
  const ended = draft.mandate === undefined ? undefined : await mandateEnded(options, sub, draft.mandate);
  if (ended !== undefined) return ended;
  const { state } = await halts.standing(sub, clock.now());
  // Last, with nothing awaited after it: a proposal whose sign-in has just ended is not sent.
  if (proposer !== undefined && isTakenBack?.(proposer, proposer.at) === true)
    return neverPlaced('the sign-in that it came by was ended before it went out', 'PRINCIPAL_REVOKED');
  if (state === 'halted') return neverPlaced('trading was halted before it went out', 'TRADING_HALTED');
  if (state === 'active' || draft.side === 'sell') return undefined;
  return neverPlaced('positions may only be made smaller since', 'TRADING_REDUCING_ONLY');
}

/** The claim decided how much it may use; whether it is still active is checked again. */
async function mandateEnded(
  { mandates, clock, isTakenBack }: OrderDeskOptions,
  sub: string,
  mandate: string,
): Promise<Refusal | undefined> {
  const found = await mandates.find(sub, mandate, { since: 0 });
  const state = found === undefined ? 'revoked' : mandateState(found, clock.now());
  if (state === 'expired') return neverPlaced('the mandate ended before it went out', 'MANDATE_EXPIRED');
  if (state !== 'active' && state !== 'exhausted')
    return neverPlaced(`the mandate was ${state} before it went out`, 'MANDATE_NOT_ACTIVE');
  return found !== undefined && isTakenBack?.({ sub }, found.createdAt) === true
    ? neverPlaced('the mandate was suspended before it went out', 'MANDATE_NOT_ACTIVE')
    : undefined;
}

function fly(
  { flights, options }: Desk,
  key: OrderKey,
  run: () => Promise<JournalEntry>,
): Promise<JournalEntry> {
  const name = nameOf(key);
  const flight = run().finally(() => {
    if (flights.get(name) === flight) flights.delete(name);
    options.others?.tell({ landed: key.clientOrderId });
  });
  flights.set(name, flight);
  return flight;
}

function placement(entry: JournalEntry, replay: boolean): Placement {
  if (entry.order !== undefined) return { order: entry.order, replay };
  if (entry.problem === undefined) throw outcomeUnknown(entry.clientOrderId);
  const refusal = recordedRefusal(entry.problem);
  throw replay
    ? new ReplayedRefusal(refusal.status, refusal.code, refusal.message, refusal.options)
    : refusal;
}

interface AdmissionOptions {
  readonly rules: OrderRules;
  readonly brokerFor: OpenAccountOf;
  readonly environment: 'paper' | 'live';
  readonly clock: Clock;
}

/** An order, the world it is decided by, and the one request that sends it. */
interface Admitted {
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
async function admit(
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
const EARLY_FRESH_MS = 1_000;
const MOST_EARLY = 100;

type EarlyOrders = ReturnType<typeof createEarlyOrders>;

/**
 * Requests open orders while the kernel still commits that an order is carried out. Everything else a decision needs must
 * be read after them (`readWorlds`), so this saves a round trip between tap and fill.
 */
export function createEarlyOrders(brokerFor: OpenAccountOf, clock: Pick<Clock, 'now'>) {
  const asked = new Map<string, { readonly at: number; readonly orders: Promise<readonly Order[]> }>();
  return {
    /** Never fails; errors go to whoever takes it. */
    ask(draft: OrderDraft, caller: Caller): void {
      if (asked.size >= MOST_EARLY) asked.clear();
      const orders = brokerFor(caller, draft.account).then(openOrders);
      orders.catch(() => undefined);
      asked.set(keyOf(draft, caller), { at: clock.now(), orders });
    },
    /** Once; undefined if nothing was requested, or too long ago. */
    take(draft: OrderDraft, caller: Caller): Promise<readonly Order[]> | undefined {
      const key = keyOf(draft, caller);
      const early = asked.get(key);
      asked.delete(key);
      return early !== undefined && clock.now() - early.at <= EARLY_FRESH_MS ? early.orders : undefined;
    },
  };
}

const keyOf = ({ account, client_order_id }: OrderDraft, { sub }: Caller) =>
  JSON.stringify([sub, account, client_order_id]);

const ORDER = { scope: 'orders:write', noun: 'order' } as const;

/** An order that its owner approved, to the last field. */
interface ApprovedOrder {
  readonly draft: OrderDraft;
  readonly digest: string;
  /** The broker's id of the order to replace. */
  readonly replaces?: string;
}

/**
 * Recomputes the order from the request and compares it with the approved details of the token.
 * @throws {Refusal} 400 `invalid_order`, 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`,
 * `details_mismatch`
 */
function approvedOrder(
  body: unknown,
  caller: Pick<Caller, 'authorizationDetails'>,
  target: { readonly gateway: string; readonly type: string },
): ApprovedOrder {
  const kind = { type: target.type, schema: tradeOrderDetailsSchema, ...ORDER };
  const approved = approvedDetails(caller, kind);
  const draft = parseOrder(body);
  const demanded = tradeOrderDetails(draft, target);
  requireApproved(approved, demanded, kind);
  return { draft, digest: demanded.digest };
}

function parseOrder(body: unknown): OrderDraft {
  // Orders under a mandate come only from proposals.
  const parsed = orderDraftSchema.unwrap().omit({ mandate: true, slot: true }).safeParse(body);
  if (!parsed.success) throw malformed(400, 'invalid_order', 'the order', parsed.error);
  try {
    checkOrder(parsed.data);
  } catch (error) {
    throw unsound('invalid_order', error);
  }
  return normalizeOrder(parsed.data);
}
