import type { IsRevokedBySignal } from '../../approval/kernel-deps.ts';
import type { ApprovalKeys } from '../../approval/keys/approval-keys.ts';
import type { ProposalOrigin } from '../../approval/kind.ts';
import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { HaltStore } from '../../store/halts.ts';
import type { MandateStore } from '../../store/mandate-store.ts';
import type { OrderJournal, OrderJournalEntry, OrderKey } from '../../store/order-journal.ts';
import type { OtherProcesses } from '../../store/other-processes.ts';
import { buildTradeOrderDetails, tradeOrderDetailsSchema } from '../../trading/approval-details.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { effectiveMandateState } from '../../trading/mandate/mandate-state.ts';
import { checkOrder, normalizeOrder, type OrderDraft, orderDraftSchema } from '../../trading/order.ts';
import type { Order } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';
import {
  invalidContentProblem,
  malformedProblem,
  requireApprovedDetails,
  requireSingleDetails,
  requireUnexpiredApproval,
} from '../auth/approved-details.ts';
import type { Caller } from '../auth/caller.ts';
import { waitForOtherGateway } from '../auth/other-gateways.ts';
import { ReplayedProblem, toRecordedProblem } from '../auth/problem.ts';
import type { OpenAccount, OpenAccountFor } from '../broker/accounts.ts';
import type { SubmissionResult } from '../broker/broker.ts';
import type { OrderDecisionRequest, OrderRules } from '../policy/order-rules.ts';
import { type BrokerSnapshot, readOpenOrders, requireSymbolSnapshot } from '../policy/order-world.ts';
import { toApprovedSubject } from '../policy/parties.ts';
import { createAbsenceTracker } from './absence.ts';
import { suspendExceededMandate } from './adoption.ts';
import { requireApprovedAccount } from './cancel-order.ts';
import {
  isSettledEntry,
  maySubmitAgain,
  notPlacedProblem,
  orderEntryKey,
  outcomeUnknownProblem,
  recheckWrittenOffOrder,
  requireJournalEntry,
  type SubmissionContext,
  type SubmissionIntent,
  settleOrderByLookup,
  submitIntent,
} from './order-submission.ts';
import { computeOrderChanges, notReplaceableProblem } from './replacement.ts';

/*
 * Between any two awaits, another request or process may try to place the same order. One approval never becomes two
 * orders, because:
 *
 *  1. The claim decides. In one transaction, the journal checks that the client_order_id is free and that the approval is
 *     unused, marks the approval as used, and writes the intent. Nothing that was read before the transaction counts, so
 *     two concurrent requests cannot both pass.
 *  2. The right to send again is acquired by a compare-and-set on the entry as it was read, and a rejection is written
 *     only if no submission is in doubt at that time (order-submission.ts).
 *  3. Requests for the same order wait for the first one: in this process through `arriving`, which is checked and set
 *     before the first await, and across gateways through the journal row (`waitForOtherGateways`). Waiting only
 *     prevents a wrong answer to the person. Even without it, the journal prevents a second order.
 */

interface OrderServiceOptions extends AdmissionOptions {
  readonly journal: OrderJournal;
  readonly gateway: string;
  /** The token's issuer. Together with the token's ID, it identifies a used approval. */
  readonly issuer: string;
  readonly detailsType: string;
  readonly halts: Pick<HaltStore, 'current'>;
  readonly mandates: Pick<MandateStore, 'find' | 'end'>;
  readonly others?: OtherProcesses | undefined;
  readonly signatures?: Pick<ApprovalKeys, 'check'> | undefined;
  readonly isRevokedBySignal?: IsRevokedBySignal | undefined;
}

interface Placement {
  readonly order: Order;
  /** True if an earlier or concurrent request placed the order. */
  readonly replay: boolean;
}

export type OrderService = ReturnType<typeof createOrderService>;

interface ArrivingRequest {
  readonly id: string;
  readonly sub: string;
  readonly placement: Promise<Placement>;
}

interface ServiceState {
  readonly options: OrderServiceOptions & SubmissionContext;
  /**
   * Orders that this process is sending or looking up, by user and client_order_id. Repeated requests wait for them.
   */
  readonly flights: Map<string, Promise<OrderJournalEntry>>;
  /**
   * Requests to place an order that are in progress. If a proxy immediately repeats a request, the second request waits
   * for the first. If both were checked concurrently, the first could place the order while the second, whose response
   * the client gets, fails with "price moved".
   */
  readonly arriving: Map<string, ArrivingRequest>;
  readonly early: EarlyOrders;
}

export function createOrderService(given: OrderServiceOptions) {
  const early = createOpenOrderPrefetcher(given.brokerFor, given.clock);
  const options = {
    ...given,
    absence: createAbsenceTracker(given.clock),
    adopted: (entry: OrderJournalEntry) => suspendExceededMandate(given, entry),
  };
  const service: ServiceState = { options, flights: new Map(), arriving: new Map(), early };
  const { gateway, detailsType } = options;
  return {
    /** @throws {HttpProblem} with a distinct code for each failure; {@link ReplayedProblem} for a recorded failure */
    async place(caller: Caller, body: unknown): Promise<Placement> {
      const target = { gateway, type: detailsType };
      const approved = approvedOrder(body, caller, target);
      // Built from the request, so that a lying provider can't bypass the comparison with a token of its own.
      const details = buildTradeOrderDetails(approved.draft, { ...target, code: approved.code });
      await options.signatures?.check(details, caller.approvalEvidence, caller.sub);
      return await placeApproved(service, approved, caller);
    },
    /** Prefetches the account's open orders, which the decision needs. Never fails. */
    prepare: early.ask,
    /**
     * Places the approved order exactly once. If `replaces` is set, the approved order replaces that order. A repeated
     * request gets its response from the journal or from a lookup at the broker. The order is sent again only if
     * this can't place it twice.
     * @param approved an order whose fields were already compared with the caller's approval
     * @param caller the approver, whose token's `jti` is marked as used
     * @throws {HttpProblem} for the same reasons as `place`, and 409 `not_replaceable`
     */
    placeApproved: (approved: ApprovedOrder, caller: Caller) => placeApproved(service, approved, caller),
    /**
     * Returns the order's journal entry, after asking the broker if the order has no outcome yet. Returns undefined if
     * the order is not in the journal.
     * @throws {HttpProblem} 504 `outcome_unknown`
     */
    settle: (caller: Caller, clientOrderId: string) => settle(service, caller, clientOrderId),
    /**
     * Looks up an order that was written off, and records it as placed if the broker has it. Returns undefined if the
     * order is not in the journal.
     * @throws {HttpProblem} the broker's error if the lookup fails
     */
    recheck: (caller: Caller, clientOrderId: string) => recheckOrder(service, caller, clientOrderId),
    /** Gives up an order whose proposal ended before anything was sent, and releases its share of the mandate. */
    async abandon(key: OrderKey): Promise<void> {
      const { journal, clock } = options;
      const problem = notPlacedProblem('the proposal ended before the broker accepted the order').toProblem();
      await journal.abandon(key, problem, clock.now());
    },
  };
}

async function placeApproved(service: ServiceState, approved: ApprovedOrder, caller: Caller): Promise<Placement> {
  const { arriving } = service;
  const id = approved.draft.client_order_id;
  const key = JSON.stringify([caller.sub, id, approved.digest, approved.replaces]);
  const same = arriving.get(key);
  if (same !== undefined) return { ...(await same.placement), replay: true };
  const placed = placeOrReplay(service, approved, caller).finally(() => arriving.delete(key));
  arriving.set(key, { id, sub: caller.sub, placement: placed });
  return placed;
}

async function placeOrReplay(service: ServiceState, approved: ApprovedOrder, caller: Caller): Promise<Placement> {
  // Looked up before the expiry is checked, because the outcome may be queried as long as the token is valid.
  const earlier = await service.options.journal.find(caller.sub, approved.draft.client_order_id);
  return earlier === undefined ? placeNew(service, approved, caller) : replay(service, earlier, approved, caller);
}

async function placeNew(service: ServiceState, approved: ApprovedOrder, caller: Caller): Promise<Placement> {
  const { journal, clock, issuer, rules } = service.options;
  const admitted = await admitOrder(approved, caller, service.options, service.early.take(approved.draft, caller));
  failpoint('gateway.verified');
  const { draft, digest, replaces } = approved;
  const { sub, jti } = caller;
  const clientOrderId = draft.client_order_id;
  const { mandate, slot } = draft;
  const claim = { sub, clientOrderId, digest, approval: { issuer, jti }, draft, replaces, mandate, slot };
  // Decides inside the claiming transaction, so that the second of two concurrent orders is counted after the first.
  const { decide, refusal } = await rules.deciding(admitted.asked, admitted.world);
  switch (await journal.claim(claim, clock.now(), decide)) {
    case 'denied':
      throw refusal();
    case 'approval_used':
      throw new HttpProblem(403, 'approval_already_used', 'the approval was already used for another order', {
        hint: 'Each order needs its own approval.',
        challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
      });
    case 'known':
      return replay(service, await requireJournalEntry(journal, claim), approved, caller);
    case 'claimed':
      failpoint('gateway.claimed');
      return placement(await trackFlight(service, claim, () => submit(service, claim, admitted, caller)), false);
  }
}

/** Returns the first request's result, after settling the order if necessary. */
async function replay(
  service: ServiceState,
  entry: OrderJournalEntry,
  approved: ApprovedOrder,
  caller: Caller,
): Promise<Placement> {
  if (entry.digest !== approved.digest || entry.replaces !== approved.replaces) {
    throw new HttpProblem(409, 'client_order_id_conflict', 'this client_order_id belongs to another order', {
      hint: 'Propose the order again with a different client_order_id.',
      fields: ['client_order_id'],
    });
  }
  if (isSettledEntry(entry)) return placement(entry, true);
  const flight =
    service.flights.get(orderEntryKey(entry)) ??
    trackFlight(service, entry, async () => {
      const landed = await waitForOtherGateways(service, entry);
      return isSettledEntry(landed) ? landed : await settleOrSubmit(service, landed, approved, caller);
    });
  return placement(await flight, true);
}

/** Looks the order up. If the broker never accepted it, submits it again, unless that could place it twice. */
async function settleOrSubmit(
  service: ServiceState,
  entry: OrderJournalEntry,
  approved: ApprovedOrder,
  caller: Caller,
): Promise<OrderJournalEntry> {
  const { journal, clock } = service.options;
  const { broker, settled } = await askBroker(service, entry, caller);
  if (settled !== undefined) return settled;
  if (!maySubmitAgain(entry, broker.traits, clock.now())) throw outcomeUnknownProblem(entry.clientOrderId);

  let admitted: Admitted;
  try {
    admitted = await admitOrder(approved, caller, service.options);
    await service.options.rules.requireAllowed(admitted.asked, admitted.world, 'order');
  } catch (error) {
    // Hides a reason such as "price moved", which would invite a new proposal while the order may already be at the
    // broker. The reason is thrown only if every submission is known to have failed.
    if (entry.submittedAt !== null && error instanceof HttpProblem) throw outcomeUnknownProblem(entry.clientOrderId);
    throw error;
  }
  if ((await journal.reclaim(entry, clock.now())) === 'stale') throw outcomeUnknownProblem(entry.clientOrderId);
  failpoint('gateway.reclaimed');
  return submit(service, entry, admitted, caller);
}

async function settle(
  service: ServiceState,
  caller: Caller,
  clientOrderId: string,
): Promise<OrderJournalEntry | undefined> {
  const isArriving = () =>
    [...service.arriving.values()].some(({ id, sub }) => id === clientOrderId && sub === caller.sub);
  // Checks `arriving` before and after reading the journal, because the order's request may begin or finish in between.
  const arrives = isArriving();
  const entry = await service.options.journal.find(caller.sub, clientOrderId);
  if (entry === undefined) {
    // The journal does not have the order yet, but a request in progress may still write it.
    if (arrives || isArriving()) throw outcomeUnknownProblem(clientOrderId);
    return undefined;
  }
  if (isSettledEntry(entry)) return entry;
  const flight = service.flights.get(orderEntryKey(entry));
  if (flight !== undefined) return flight;
  const landed = await waitForOtherGateways(service, entry);
  if (isSettledEntry(landed)) return landed;
  const { settled } = await askBroker(service, landed, caller);
  if (settled === undefined) throw outcomeUnknownProblem(clientOrderId);
  return settled;
}

async function recheckOrder(
  { options, flights }: ServiceState,
  caller: Caller,
  clientOrderId: string,
): Promise<OrderJournalEntry | undefined> {
  const entry = await options.journal.find(caller.sub, clientOrderId);
  // Suspends the mandate here as well, because the process that adopted the order may have died before it did so.
  if (entry?.state === 'placed' && entry.writtenOffAt !== null) await options.adopted(entry);
  if (entry === undefined || entry.state !== 'rejected') return entry;
  // Waits for our own open request, because its response will prove more than a lookup.
  const flight = flights.get(orderEntryKey(entry));
  if (flight !== undefined) return await flight;
  const broker = await options.brokerFor(caller, entry.draft.account);
  return await recheckWrittenOffOrder(entry, broker, options);
}

/**
 * Looks the order up at the approved account's broker. If that fails for an order that was sent, throws
 * `outcome_unknown`, because clients could take any other error to mean "not placed".
 */
async function askBroker(
  { options }: ServiceState,
  entry: OrderJournalEntry,
  caller: Caller,
): Promise<{ readonly broker: OpenAccount; readonly settled: OrderJournalEntry | undefined }> {
  try {
    const broker = await options.brokerFor(caller, entry.draft.account);
    return { broker, settled: await settleOrderByLookup(entry, broker, options) };
  } catch (error) {
    if (entry.submittedAt !== null && error instanceof HttpProblem) throw outcomeUnknownProblem(entry.clientOrderId);
    throw error;
  }
}

function waitForOtherGateways({ options }: ServiceState, entry: OrderJournalEntry): Promise<OrderJournalEntry> {
  return waitForOtherGateway(options, entry, entry.clientOrderId, {
    look: () => requireJournalEntry(options.journal, entry),
    isUnderWay: ({ state, submittedAt }) => state === 'intent' && submittedAt !== null,
    since: entry.submittedAt ?? undefined,
  });
}

function submit(
  { options }: ServiceState,
  intent: SubmissionIntent,
  { broker, send }: Admitted,
  { proposer, isOurs }: Pick<Caller, 'proposer' | 'isOurs'>,
): Promise<OrderJournalEntry> {
  const stopped = (order: SubmissionIntent) => sendObjection(options, order, proposer);
  return submitIntent(intent, send, broker, { ...options, stopped, isOurs });
}

/** Returns why a claimed order must not be sent after all; undefined if it may be sent. */
async function sendObjection(
  options: OrderServiceOptions,
  { sub, draft }: SubmissionIntent,
  proposer: Caller['proposer'],
): Promise<HttpProblem | undefined> {
  const { halts, clock, isRevokedBySignal } = options;
  const ended = draft.mandate === undefined ? undefined : await mandateObjection(options, sub, draft.mandate);
  if (ended !== undefined) return ended;
  // Read last, so that an order is not sent if trading was just halted or its proposer was just revoked.
  const [{ state }, isRevoked] = await Promise.all([
    halts.current(sub, clock.now()),
    proposer === undefined ? false : isRevokedBySignal?.(proposer, proposer.at),
  ]);
  if (isRevoked === true)
    return notPlacedProblem('the session that proposed the order ended before it was sent', 'PRINCIPAL_REVOKED');
  if (state === 'halted') return notPlacedProblem('trading was halted before the order was sent', 'TRADING_HALTED');
  if (state === 'active' || draft.side === 'sell') return undefined;
  return notPlacedProblem(
    'trading was limited to reducing positions before the order was sent',
    'TRADING_REDUCING_ONLY',
  );
}

/** Returns why the mandate no longer allows the order. The claim has already reserved the order's share. */
async function mandateObjection(
  { mandates, clock, isRevokedBySignal }: OrderServiceOptions,
  sub: string,
  mandate: string,
): Promise<HttpProblem | undefined> {
  const found = await mandates.find(sub, mandate, { since: 0 });
  const state = found === undefined ? 'revoked' : effectiveMandateState(found, clock.now());
  if (state === 'expired') return notPlacedProblem('the mandate ended before the order was sent', 'MANDATE_EXPIRED');
  if (state !== 'active' && state !== 'exhausted')
    return notPlacedProblem(`the mandate was ${state} before the order was sent`, 'MANDATE_NOT_ACTIVE');
  return found !== undefined && (await isRevokedBySignal?.({ sub }, found.createdAt)) === true
    ? notPlacedProblem('the mandate was suspended before the order was sent', 'MANDATE_NOT_ACTIVE')
    : undefined;
}

function trackFlight(
  { flights, options }: ServiceState,
  key: OrderKey,
  run: () => Promise<OrderJournalEntry>,
): Promise<OrderJournalEntry> {
  const name = orderEntryKey(key);
  const flight = run().finally(() => {
    if (flights.get(name) === flight) flights.delete(name);
    options.others?.notify({ landed: key.clientOrderId });
  });
  flights.set(name, flight);
  return flight;
}

function placement(entry: OrderJournalEntry, replay: boolean): Placement {
  if (entry.order !== undefined) return { order: entry.order, replay };
  if (entry.problem === undefined) throw outcomeUnknownProblem(entry.clientOrderId);
  const refusal = toRecordedProblem(entry.problem);
  throw replay ? new ReplayedProblem(refusal.status, refusal.code, refusal.message, refusal.options) : refusal;
}

interface AdmissionOptions {
  readonly rules: OrderRules;
  readonly brokerFor: OpenAccountFor;
  readonly environment: 'paper' | 'live';
  readonly clock: Clock;
  /** Our own login clients. Every other client is another agent. */
  readonly ownClients?: readonly string[] | undefined;
}

/** An order that passed the first checks, with the data for its decision and the function that sends it. */
interface Admitted {
  readonly broker: OpenAccount;
  readonly asked: OrderDecisionRequest;
  readonly world: BrokerSnapshot;
  readonly send: () => Promise<SubmissionResult>;
}

/**
 * Reads the market and account data for an approved order, and checks time, environment and account, without using up
 * the approval. The caller evaluates the rules: in the claiming transaction, or with `requireAllowed` if the order is
 * already claimed.
 * @param early open orders that were prefetched
 */
async function admitOrder(
  { draft, replaces }: ApprovedOrder,
  caller: Caller,
  options: AdmissionOptions,
  early?: Promise<readonly Order[]>,
): Promise<Admitted> {
  const { rules } = options;
  requireUnexpiredApproval(draft.expires_at, ORDER_TERMS, options.clock);
  if (draft.environment !== options.environment) {
    throw new HttpProblem(403, 'environment_mismatch', `this gateway trades only ${options.environment} accounts`, {
      fields: ['environment'],
      challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
    });
  }
  const broker = await options.brokerFor(caller, draft.account);
  const world = requireSymbolSnapshot(await rules.worlds(broker, [draft.symbol], early), draft.symbol);
  requireApprovedAccount(world.account, draft);
  const send = await prepareRequest(draft, replaces, broker);
  // Checked again, because the broker may have been slow.
  requireUnexpiredApproval(draft.expires_at, ORDER_TERMS, options.clock);
  return {
    broker,
    asked: { subject: decisionSubject(caller, draft, options.ownClients), draft, replaces },
    world,
    send,
  };
}

function decisionSubject(
  caller: Caller,
  { mandate }: OrderDraft,
  ownClients: readonly string[] = [],
): OrderDecisionRequest['subject'] {
  const { clientId = '', proposer, approvers } = caller;
  const approval = mandate === undefined ? 'tap' : 'mandate';
  // The rules for other agents were applied when a proposal was made.
  const isDirect = approval === 'tap' && proposer === undefined && approvers === undefined;
  return {
    ...toApprovedSubject(caller, approval),
    origin: isDirect && !ownClients.includes(clientId) ? directOrigin : undefined,
  };
}

/** The origin of an order whose approval a client requested directly, without a proposal. */
const directOrigin: ProposalOrigin = { isOtherAgent: true, provenance: { fields: {} } };

/** Returns the function that sends the order or the replacement. @throws {HttpProblem} 409 `not_replaceable` */
async function prepareRequest(
  draft: OrderDraft,
  replaces: string | undefined,
  broker: OpenAccount,
): Promise<Admitted['send']> {
  if (replaces === undefined) return () => broker.submit(boundedOrder(draft));
  const earlier = await broker.order(replaces);
  if (earlier === undefined) throw notReplaceableProblem('this account has no such order');
  const changes = computeOrderChanges(draft, earlier, broker.traits);
  return () => broker.replace(replaces, { order: draft, changes });
}

/** Maximum age of prefetched open orders, in milliseconds. Older orders are read again. */
const MAX_EARLY_AGE_MS = 1_000;
const MAX_EARLY_ORDERS = 100;

type EarlyOrders = ReturnType<typeof createOpenOrderPrefetcher>;

/**
 * Creates an object that prefetches open orders while the kernel is still committing the execution. Because positions
 * must be read after the open orders, prefetching saves a round trip between the tap on the phone and the fill.
 */
export function createOpenOrderPrefetcher(brokerFor: OpenAccountFor, clock: Pick<Clock, 'now'>) {
  const asked = new Map<string, { readonly at: number; readonly orders: Promise<readonly Order[]> }>();
  return {
    /** Starts reading the open orders. Never fails: errors are reported to the caller of `take`. */
    ask(draft: OrderDraft, caller: Caller): void {
      if (asked.size >= MAX_EARLY_ORDERS) asked.clear();
      const orders = brokerFor(caller, draft.account).then(readOpenOrders);
      orders.catch(() => undefined);
      asked.set(orderKey(draft, caller), { at: clock.now(), orders });
    },
    /** Removes and returns the prefetched orders; undefined if they were never requested or are too old. */
    take(draft: OrderDraft, caller: Caller): Promise<readonly Order[]> | undefined {
      const key = orderKey(draft, caller);
      const early = asked.get(key);
      asked.delete(key);
      return early !== undefined && clock.now() - early.at <= MAX_EARLY_AGE_MS ? early.orders : undefined;
    },
  };
}

const orderKey = ({ account, client_order_id }: OrderDraft, { sub }: Caller) =>
  JSON.stringify([sub, account, client_order_id]);

const ORDER_TERMS = { scope: 'orders:write', noun: 'order' } as const;

/** An order whose every field was approved by the owner. */
interface ApprovedOrder {
  readonly draft: OrderDraft;
  readonly digest: string;
  /** The broker's id of the order to replace. */
  readonly replaces?: string;
}

/** An order for which a client requested approval itself. */
interface RequestedOrder extends ApprovedOrder {
  /** The code that the identity provider chose. */
  readonly code: string | undefined;
}

/**
 * Recomputes the order from the request and compares it with the approved details of the token.
 * @throws {HttpProblem} 400 `invalid_order`, 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`,
 * `details_mismatch`
 */
function approvedOrder(
  body: unknown,
  caller: Pick<Caller, 'authorizationDetails'>,
  target: { readonly gateway: string; readonly type: string },
): RequestedOrder {
  const kind = { type: target.type, schema: tradeOrderDetailsSchema, ...ORDER_TERMS };
  const approved = requireSingleDetails(caller, kind);
  const draft = parseOrder(body);
  const code = approved.code as string | undefined;
  const demanded = buildTradeOrderDetails(draft, { ...target, code });
  requireApprovedDetails(approved, demanded, kind);
  return { draft, digest: demanded.digest, code };
}

function parseOrder(body: unknown): OrderDraft {
  // Orders under a mandate can only come from proposals.
  const parsed = orderDraftSchema.unwrap().omit({ mandate: true, slot: true }).safeParse(body);
  if (!parsed.success) throw malformedProblem(400, 'invalid_order', 'the order', parsed.error);
  try {
    checkOrder(parsed.data);
  } catch (error) {
    throw invalidContentProblem('invalid_order', error);
  }
  return normalizeOrder(parsed.data);
}
