import type { IsTakenBack } from '../../approval/kernel-parts.ts';
import type { Keys } from '../../approval/keys/keys.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { Halts } from '../../store/halts.ts';
import type { MandateStore } from '../../store/mandate-store.ts';
import type { JournalEntry, OrderJournal, OrderKey } from '../../store/order-journal.ts';
import type { OtherProcesses } from '../../store/other-processes.ts';
import { tradeOrderDetails } from '../../trading/approval-details.ts';
import { mandateState } from '../../trading/mandate/mandate-state.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Order } from '../../trading/views.ts';
import type { OpenAccount } from '../broker/accounts.ts';
import type { Caller } from '../door/caller.ts';
import { whenLanded } from '../door/landing.ts';
import { ReplayedRefusal, recordedRefusal } from '../door/problem.ts';
import { createAbsence } from './absence.ts';
import { type AdmissionOptions, type Admitted, admit } from './admission.ts';
import { suspendIfExceeded } from './adoption.ts';
import { type ApprovedOrder, approvedOrder } from './approved-order.ts';
import { createEarlyOrders, type EarlyOrders } from './early-orders.ts';
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

/*
 * Between any two awaits another request, another process even, may do the same. What keeps one approval one order:
 *
 *  1. The claim. The journal looks whether the client_order_id is free and the approval unused, uses it and writes the
 *     intent in one unit of work. Whatever was read before it decides nothing.
 *  2. The right to send again is taken by a compare-and-set on the entry as it was read, and a refusal is written only
 *     where no submission is in doubt by then (order-submission.ts).
 *  3. Within this process whoever asks for the same waits for whoever was first: `arriving` is looked at and set before
 *     the first await, so that two cannot both be first. It spares the person a wrong answer; it is not what makes it
 *     one order. The journal would hold without it. Where several gateways have the same journal, a repeat at another one
 *     waits at the row for the first's answer (door/landing.ts), for the same reason.
 */

interface OrderDeskOptions extends AdmissionOptions {
  readonly journal: OrderJournal;
  readonly gateway: string;
  /** Whose approvals count: with the token's id, what an approval is used up by. */
  readonly issuer: string;
  readonly detailsType: string;
  readonly halts: Pick<Halts, 'standing'>;
  readonly mandates: Pick<MandateStore, 'find' | 'end'>;
  readonly others?: OtherProcesses | undefined;
  /** Where approvals are signed: whether this one is, by whom it must be. */
  readonly signatures?: Pick<Keys, 'check'> | undefined;
  /** None is, where it is left out. */
  readonly isTakenBack?: IsTakenBack | undefined;
}

interface Placement {
  readonly order: Order;
  /** True when the order was placed by an earlier request, or by another one at the same time. */
  readonly replay: boolean;
}

/** Where approved orders become real ones. */
export type OrderDesk = ReturnType<typeof createOrderDesk>;

interface Arrival {
  readonly id: string;
  readonly sub: string;
  readonly placement: Promise<Placement>;
}

/** What this process does at the moment, and with what. */
interface Desk {
  readonly options: OrderDeskOptions & SubmissionContext;
  /** What is being sent or settled by this process, by user and client_order_id: whoever asks for the same waits for it. */
  readonly flights: Map<string, Promise<JournalEntry>>;
  /**
   * Requests of this process to place an order, from their arrival on. The same may come twice at once (a proxy repeats
   * what it lost): were it checked twice, one could be placed and the other, the one that is answered, told "price moved".
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
    /** @throws {Refusal} with a code for each way to fail; a {@link ReplayedRefusal} where it was said before */
    async place(caller: Caller, body: unknown): Promise<Placement> {
      const target = { gateway, type: detailsType };
      const approved = approvedOrder(body, caller, target);
      // Of details that the token and the request agree in: a provider that lies can't go around by a token of its own making.
      const details = tradeOrderDetails(approved.draft, target);
      await options.signatures?.check(details, caller.approvalEvidence, caller.sub);
      return await placeApproved(desk, approved, caller);
    },
    /** Asks early for what an approved order is decided by, where it is about to be placed. Fails for nobody. */
    prepare: early.ask,
    /**
     * Places what was approved, or puts it in place of the order that it `replaces`, exactly once however often it is
     * called: a repeat is answered from the journal, settled by asking the broker, or sent where that is safe.
     * @param approved whose fields the caller's approval was compared with already
     * @param caller who approved; its `jti` is used up
     * @throws {Refusal} as `place`, and 409 `not_replaceable`
     */
    placeApproved: (approved: ApprovedOrder, caller: Caller) => placeApproved(desk, approved, caller),
    /**
     * Settles what is open about the caller's order by asking the broker. Undefined where this gateway never placed it.
     * @throws {Refusal} 504 `outcome_unknown`
     */
    settle: (caller: Caller, clientOrderId: string) => settle(desk, caller, clientOrderId),
    /**
     * Looks at the broker for an order that was written off, and adopts it where it is there.
     * @returns the entry afterwards; undefined where this gateway never placed it
     * @throws {Refusal} as the broker's reads do
     */
    recheck: (caller: Caller, clientOrderId: string) => recheckOrder(desk, caller, clientOrderId),
    /** Its proposal has ended: an order of which nothing is out is given up, and what it used of its mandate returned. */
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
  // Before the expiry check: what became of an order may be asked for as long as the token lives.
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
  // Decided where it is written, by the rules of this moment: of two that came at once, the second finds the first.
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

/** The first result again; an open one is settled first. */
async function replay(
  desk: Desk,
  entry: JournalEntry,
  approved: ApprovedOrder,
  caller: Caller,
): Promise<Placement> {
  if (entry.digest !== approved.digest || entry.replaces !== approved.replaces) {
    throw new Refusal(409, 'client_order_id_conflict', 'this client_order_id belongs to another order', {
      hint: 'Propose the order anew, under another client_order_id.',
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

/** What an order without an outcome needs: a look-up, and where that is safe, the submission it never had. */
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
    // "Price moved" would invite a new proposal, while the order may well be at the broker. Only where every
    // submission is known to have come to nothing may the real reason be told.
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
  // Asked before and after the look: it may arrive, or be over, while the journal is read.
  const arrives = isArriving();
  const entry = await desk.options.journal.find(caller.sub, clientOrderId);
  if (entry === undefined) {
    // It is not in the journal, but nobody may conclude that it never will be.
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
  // The process that adopted it may have died before it looked at the mandate.
  if (entry?.state === 'placed' && entry.writtenOffAt !== null) await options.adopted(entry);
  if (entry === undefined || entry.state !== 'rejected') return entry;
  // The answer to our own request is on its way, and says more than a lookup.
  const flight = flights.get(nameOf(entry));
  if (flight !== undefined) return await flight;
  const broker = await options.brokerFor(caller, entry.draft.account);
  return await recheck(entry, broker, options);
}

/** The broker of the account that it was approved for. While that one can't be asked, an order that may be there stays unknown: anything else could be read as a no. */
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

/** An order that another gateway may be sending at this moment, once it is not. */
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

/** Why an order that is claimed must not go out after all: looked at right before it would. */
async function stoppedBy(
  { halts, mandates, clock, isTakenBack }: OrderDeskOptions,
  { sub, draft }: Intent,
  proposer: Caller['proposer'],
): Promise<Refusal | undefined> {
  if (draft.mandate !== undefined) {
    // What it used of it was decided with the claim; whether it is still in force is asked anew.
    const found = await mandates.find(sub, draft.mandate, { since: 0 });
    const state = found === undefined ? 'revoked' : mandateState(found, clock.now());
    if (state === 'expired') return neverPlaced('the mandate ended before it went out', 'MANDATE_EXPIRED');
    if (state !== 'active' && state !== 'exhausted')
      return neverPlaced(`the mandate was ${state} before it went out`, 'MANDATE_NOT_ACTIVE');
    if (found !== undefined && isTakenBack?.({ sub }, found.createdAt) === true)
      return neverPlaced('the mandate was suspended before it went out', 'MANDATE_NOT_ACTIVE');
  }
  const { state } = await halts.standing(sub, clock.now());
  // Last of all, and nothing is waited for after it: what was taken back a moment ago does not go out.
  if (proposer !== undefined && isTakenBack?.(proposer, proposer.at) === true)
    return neverPlaced('the sign-in that it came by was ended before it went out', 'PRINCIPAL_REVOKED');
  if (state === 'halted') return neverPlaced('trading was halted before it went out', 'TRADING_HALTED');
  if (state === 'active' || draft.side === 'sell') return undefined;
  return neverPlaced('positions may only be made smaller since', 'TRADING_REDUCING_ONLY');
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
