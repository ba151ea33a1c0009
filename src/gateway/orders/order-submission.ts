import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import {
  createDispatchDeadline,
  currentMoment,
  DispatchDeadline,
  hasElapsed,
  withDispatchDeadline,
} from '../../net/dispatch-deadline.ts';
import type { OrderJournal, OrderJournalEntry, OrderKey } from '../../store/order-journal.ts';
import { safeLine } from '../../text/sanitize.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import type { MarketClock, Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { OpenAccount } from '../broker/accounts.ts';
import type { Broker, SubmissionResult } from '../broker/broker.ts';
import type { BrokerTraits } from '../broker/broker-traits.ts';
import type { AbsenceTracker } from './absence.ts';
import { matchesIntent, notReplaceableProblem } from './replacement.ts';

/*
 * How a claimed intent gets an outcome. These are the reasons why one approval never becomes two orders, and why no order
 * is lost.
 *
 * What counts as proof:
 *
 *  1. At most one order exists per approval, because every submission for an approval carries the same client_order_id and
 *     the broker accepts an id only once, even after its order is done (see `Broker`). It does not matter how many
 *     submissions arrive, or how late. This does not depend on any point below. A broker whose traits say that it cannot
 *     guarantee this is never sent an order twice.
 *  2. An answer from the broker is proof no matter when it arrives: an acceptance, a duplicate, or a rejection of a first
 *     submission. An order found by its client_order_id is proof too.
 *  3. A timeout is not proof: it limits how long we wait, not how long the operating system and the network take to
 *     deliver. Resetting the connection makes a late arrival less likely but proves nothing. Neither does a dead process.
 *  4. A miss (the broker reports no order with the id) is not proof by itself, because the request may still be in
 *     transit and the broker's reads lag behind its writes.
 *  5. A rejection of a second submission ("insufficient buying power", say) proves nothing about the first, because the
 *     first may have caused it. Once an order has been sent while an earlier submission might have been accepted
 *     (`ambiguous`), no rejection settles it. The journal enforces this in the transaction that would write the rejection.
 *
 * What limits a submission:
 *
 *  6. No byte of a submission leaves more than MAX_DISPATCH_DELAY_MS after the checks that allowed it, or after its approval
 *     expired, by the wall clock or by the monotonic clock. Both are compared once the connection is open, synchronously
 *     before the write (net/dispatch-deadline.ts), so a process, machine or network that was suspended cannot send late. A
 *     submission stopped there was provably not sent.
 *  7. Only one process may send. It acquires that right in the journal with a compare-and-set on the number of
 *     submissions. Sending again requires the approval, every check, and RESEND_DELAY_MS since the last
 *     submission. Too short a delay would cause a duplicate, which the broker rejects, but by (1) never a second order.
 *     After the claim, the process also checks that no other process took over the proposal and may be reporting that
 *     nothing was placed.
 *
 * When an order is reported as not placed although the broker never said so:
 *
 *  8. An order is written off only if its approval has expired, so by (6) nothing more can leave; if nobody has sent it
 *     again since the first miss; if no request for it is open in this process; and if the broker has answered for
 *     REQUIRED_ABSENCE_MS of awake time that it does not have the order (absence.ts). By (3) this is an inference, not
 *     proof.
 *  9. A write-off is therefore provisional. Its reservation (its share of the mandate and of the day's limits) is held
 *     until the trading day ends. Proof overrides a write-off at any time: the journal records the order as placed and
 *     counts it again, the proposal becomes `executed`, and the owner is notified (adoption.ts). Reconciliation looks the
 *     order up again at each start, after each sleep, and daily for 30 days (reconciliation.ts).
 * 10. A lookup for one order never settles another: an order is looked up only on behalf of its own proposal.
 *
 * All of this also holds for a replacement, which has its own client_order_id. An order is replaced at most once: if the
 * change is sent again after the broker accepted it, it is rejected because the earlier order is closed, and by (5) that
 * rejection settles nothing.
 */

/** Minimum milliseconds between submissions of an order. By then, most requests have arrived or failed. See (7). */
export const RESEND_DELAY_MS = 30_000;

/** Maximum time from the checks before a submission to sending its first byte, in milliseconds. See (6). */
export const MAX_DISPATCH_DELAY_MS = 15_000;

/** Maximum duration of the checks, in milliseconds. Slower checks are repeated, because they may be out of date. */
const MAX_CHECK_DURATION_MS = 1_000;

/** Delays between lookups after a submission without a response, in milliseconds. The first lookup is immediate. */
const LOOKUP_DELAYS_MS = [200, 500, 1000, 2000] as const;

export interface SubmissionContext {
  readonly journal: OrderJournal;
  readonly clock: Clock;
  readonly absence: AbsenceTracker;
  /** Called when an order that had been recorded as rejected is found at the broker. */
  readonly adopted: (entry: OrderJournalEntry) => Promise<void>;
}

interface SendingContext extends SubmissionContext {
  /** Called right before sending. Returns why the order must not be sent (409 `not_placed`); otherwise undefined. */
  readonly stopped: (intent: SubmissionIntent) => Promise<HttpProblem | undefined>;
  /** Returns whether this process still handles the proposal. See (7). */
  readonly isOurs?: (() => Promise<boolean>) | undefined;
}

export interface SubmissionIntent extends OrderKey {
  readonly draft: OrderDraft;
  readonly replaces?: string | undefined;
}

/**
 * Sends an order whose intent is in the journal, and records the outcome.
 * @param send sends one request with the draft's client_order_id: a submission, or a replacement
 * @returns the journal entry, in state `placed` or `rejected`
 * @throws {HttpProblem} 504 `outcome_unknown`, 503 `broker_busy`, `service_busy`, 409 `account_not_connected`
 */
export async function submitIntent(
  intent: SubmissionIntent,
  send: () => Promise<SubmissionResult>,
  broker: OpenAccount,
  context: SendingContext,
): Promise<OrderJournalEntry> {
  const { journal, clock } = context;
  const { draft } = intent;
  failpoint('gateway.before_submit');
  const cleared = await runFinalChecks(intent, context);
  if (!(cleared instanceof DispatchDeadline)) return await recordUnsent(cleared, intent, context);
  const submission = await withDispatchDeadline(cleared, send);
  failpoint('gateway.submitted');
  const settled = await recordAnswer(submission, cleared, intent, context);
  if (settled !== undefined) return settled;
  await journal.markUnknown(intent, clock.now());
  const found = broker.traits.clientOrderId.lookup === 'never' ? undefined : await lookUp(draft, broker, clock);
  if (found === undefined) throw outcomeUnknownProblem(draft.client_order_id);
  return await recordFoundOrder(found, intent, context);
}

/**
 * Makes the last checks before sending, for example that the approval has not expired and trading is not halted.
 * Repeats the checks if they took too long, because their results may be out of date.
 * @returns the deadline for sending, or why the order must not be sent; `taken_over` if another process handles the
 * proposal
 */
async function runFinalChecks(
  intent: SubmissionIntent,
  { clock, stopped, isOurs }: SendingContext,
): Promise<DispatchDeadline | HttpProblem | 'taken_over'> {
  for (;;) {
    const lookedAt = currentMoment(clock);
    const left = Math.min(Date.parse(intent.draft.expires_at) - lookedAt.wall, MAX_DISPATCH_DELAY_MS);
    if (left <= 0) return approvalExpiredProblem();
    if (isOurs !== undefined && !(await isOurs())) return 'taken_over';
    const reason = await stopped(intent);
    if (reason !== undefined) return reason;
    if (!hasElapsed(MAX_CHECK_DURATION_MS, clock, lookedAt)) return createDispatchDeadline(left, clock, lookedAt);
  }
}

/** Records why nothing was sent, or releases the claim if another process took over the proposal. See (6) and (7). */
async function recordUnsent(
  why: HttpProblem | 'taken_over',
  intent: SubmissionIntent,
  { journal, clock }: SubmissionContext,
): Promise<OrderJournalEntry> {
  const id = intent.draft.client_order_id;
  if (why === 'taken_over') {
    throw (await journal.release(intent, clock.now())) === 'stale' ? outcomeUnknownProblem(id) : takenOver();
  }
  const refused = await journal.refuse(intent, why.toProblem(), clock.now());
  const entry = await requireJournalEntry(journal, intent);
  if (refused === 'stale' && !isSettledEntry(entry)) throw outcomeUnknownProblem(id);
  return entry;
}

/**
 * Records what the broker's response proves. See (2), (3) and (5).
 * @returns undefined if the order has to be looked up
 * @throws {HttpProblem} if the broker did not accept this submission and the order may be sent again
 */
async function recordAnswer(
  submission: SubmissionResult,
  deadline: DispatchDeadline,
  intent: SubmissionIntent,
  context: SubmissionContext,
): Promise<OrderJournalEntry | undefined> {
  const { journal, clock } = context;
  switch (submission.outcome) {
    case 'accepted':
      // The response is to our own request, so its order is ours even if the fields differ.
      return await recordPlaced(submission.order, intent, context, 'answered');
    case 'not_taken':
      if ((await journal.release(intent, clock.now())) === 'stale') return undefined;
      throw notTaken(submission);
    case 'refused': {
      if (submission.reason === 'duplicate') return undefined;
      const refused = await journal.refuse(intent, brokerRejection(submission).toProblem(), clock.now());
      return refused === 'stale' ? undefined : await requireJournalEntry(journal, intent);
    }
    case 'unknown':
      // The request was stopped before it was sent, so the order may be sent again after new checks.
      if (deadline.nothingSent && (await journal.release(intent, clock.now())) === 'released') throw notSent();
      return undefined;
  }
}

/** Makes a single lookup of an unsettled order. @returns the settled entry; undefined if the lookup proves nothing */
export async function settleOrderByLookup(
  entry: OrderJournalEntry,
  broker: OpenAccount,
  context: SubmissionContext,
): Promise<OrderJournalEntry | undefined> {
  const { absence, clock } = context;
  const { lookup: lookedUp } = broker.traits.clientOrderId;
  if (lookedUp === 'never') return undefined;
  const order = await lookUpOnce(entry, broker, context);
  if (order !== undefined) return await recordFoundOrder(order, entry, context);
  // Not finding the order proves nothing, because the broker may have accepted it and no longer list it.
  if (lookedUp !== 'for_good') return undefined;
  const name = orderEntryKey(entry);
  if (clock.now() < Date.parse(entry.draft.expires_at)) {
    absence.forget(name);
    return undefined;
  }
  if (entry.submittedAt === null) return await abandonUnsent(entry, context);
  if (!absence.missed(name, `${entry.submissions} ${entry.submittedAt}`)) return undefined;
  return await writeOff(entry, broker, context);
}

/** Looks up an order that was written off, and records it as placed if the broker has it. @returns the entry */
export async function recheckWrittenOffOrder(
  entry: OrderJournalEntry,
  broker: OpenAccount,
  context: SubmissionContext,
): Promise<OrderJournalEntry> {
  if (broker.traits.clientOrderId.lookup === 'never') return entry;
  const order = await broker.orderByClientOrderId(entry.clientOrderId);
  // If the broker has a different order with this id, the id is used up, so this order can never be placed.
  if (order === undefined || !matchesIntent(order, entry)) return entry;
  return await recordPlaced(order, entry, context, 'found');
}

/** Gives up an order that the broker never accepted and that can't be sent anymore, because its approval expired. */
async function abandonUnsent(
  entry: OrderJournalEntry,
  { journal, clock }: SubmissionContext,
): Promise<OrderJournalEntry | undefined> {
  const abandoned = await journal.abandon(entry, approvalExpiredProblem().toProblem(), clock.now());
  return abandoned === 'rejected' ? await requireJournalEntry(journal, entry) : undefined;
}

async function lookUpOnce(
  entry: OrderJournalEntry,
  broker: OpenAccount,
  { absence }: SubmissionContext,
): Promise<Order | undefined> {
  try {
    const order = await broker.orderByClientOrderId(entry.clientOrderId);
    failpoint('gateway.asked');
    if (order !== undefined) absence.forget(orderEntryKey(entry));
    return order;
  } catch (error) {
    absence.forget(orderEntryKey(entry));
    throw error;
  }
}

/** Writes the order off, as described in (8) and (9) at the top of this file. */
async function writeOff(
  entry: OrderJournalEntry,
  broker: OpenAccount,
  { journal, clock, absence }: SubmissionContext,
): Promise<OrderJournalEntry | undefined> {
  const [account, market] = await Promise.all([broker.account(), broker.clock()]);
  // The order was sent to the account that it was approved for. If the user has connected a different account since
  // then, the lookup proves nothing.
  if (account.account !== entry.draft.account) return undefined;
  const now = clock.now();
  const written = await journal.writeOff(entry, approvalExpiredProblem().toProblem(), {
    now,
    reservedUntil: tradingDayEnd(market, now),
  });
  absence.forget(orderEntryKey(entry));
  return written === 'stale' ? undefined : await requireJournalEntry(journal, entry);
}

/** Returns midnight in New York after the current or next session, in milliseconds since the epoch. */
function tradingDayEnd({ next_close }: MarketClock, now: number): number {
  const closes = Date.parse(next_close);
  const last = Math.max(now, Number.isNaN(closes) ? now : closes);
  return newYorkInstant(addDays(newYorkDate(last), 1), '00:00');
}

/** Returns a JSON array, because no separator is safe: a provider may put any character into a user's ID. */
export function orderEntryKey({ sub, clientOrderId }: OrderKey): string {
  return JSON.stringify([sub, clientOrderId]);
}

export function isSettledEntry({ state }: OrderJournalEntry): boolean {
  return state === 'placed' || state === 'rejected';
}

/** Returns whether the broker's traits and the time allow sending the order now. See (1) and (7). */
export function maySubmitAgain(
  { submittedAt }: Pick<OrderJournalEntry, 'submittedAt'>,
  { clientOrderId }: Pick<BrokerTraits, 'clientOrderId'>,
  now: number,
): boolean {
  if (submittedAt === null) return true;
  return clientOrderId.acceptedOnce && clientOrderId.lookup === 'for_good' && now >= submittedAt + RESEND_DELAY_MS;
}

async function lookUp(draft: OrderDraft, broker: Broker, clock: Clock): Promise<Order | undefined> {
  for (const wait of [0, ...LOOKUP_DELAYS_MS]) {
    if (wait > 0) await clock.sleep(wait);
    try {
      const order = await broker.orderByClientOrderId(draft.client_order_id);
      if (order !== undefined) return order;
    } catch (error) {
      // Ignored, because the next lookup may succeed. If no lookup succeeds, the outcome is unknown.
      if (!(error instanceof HttpProblem)) throw error;
    }
  }
  return undefined;
}

async function recordFoundOrder(
  order: Order,
  intent: SubmissionIntent,
  context: SubmissionContext,
): Promise<OrderJournalEntry> {
  if (matchesIntent(order, intent)) return await recordPlaced(order, intent, context, 'found');
  const { journal, clock } = context;
  await journal.reject(intent, clientOrderIdTaken().toProblem(), clock.now());
  return await requireJournalEntry(journal, intent);
}

/** Records the order as placed, because the broker has it, even if the journal has recorded another outcome. */
async function recordPlaced(
  order: Order,
  intent: SubmissionIntent,
  { journal, clock, adopted }: SubmissionContext,
  how: 'answered' | 'found',
): Promise<OrderJournalEntry> {
  const came = await journal.place(intent, order, clock.now());
  if (how === 'answered') failpoint('gateway.recorded');
  else failpoint('gateway.settled');
  const entry = await requireJournalEntry(journal, intent);
  if (came === 'adopted') await adopted(entry);
  return entry;
}

export async function requireJournalEntry(
  journal: OrderJournal,
  { sub, clientOrderId }: OrderKey,
): Promise<OrderJournalEntry> {
  const entry = await journal.find(sub, clientOrderId);
  if (entry === undefined) throw new Error('the order journal has lost an entry');
  return entry;
}

export function outcomeUnknownProblem(clientOrderId: string): HttpProblem {
  return new HttpProblem(
    504,
    'outcome_unknown',
    'the broker did not answer, so it is unknown whether it accepted the order',
    {
      hint: 'Look the order up by client_order_id, or send the identical request again. Do not propose the order again until its outcome is known.',
      members: { client_order_id: clientOrderId },
      retryAfter: Math.ceil(RESEND_DELAY_MS / 1000),
    },
  );
}

function brokerRejection(refused: SubmissionResult & { outcome: 'refused' }): HttpProblem {
  const members = {
    broker_message: safeLine(refused.message, 300),
    ...defined({ broker_code: refused.brokerCode }),
  };
  if (refused.reason === 'not_replaceable') {
    return notReplaceableProblem('the broker says the order can no longer be replaced', members);
  }
  return refused.reason === 'insufficient_funds'
    ? new HttpProblem(422, 'insufficient_funds', 'the account does not have enough buying power for the order', {
        hint: 'Propose a smaller order.',
        members,
      })
    : new HttpProblem(422, 'broker_rejected', 'the broker rejected the order', {
        hint: 'See broker_message for the broker’s reason, and propose a different order.',
        members,
      });
}

function notTaken({ reason }: SubmissionResult & { outcome: 'not_taken' }): HttpProblem {
  return reason === 'rate_limited'
    ? new HttpProblem(503, 'broker_busy', 'the broker is rate limiting requests and did not accept the order', {
        hint: 'Send the identical request again in a moment: the approval is still valid.',
        retryAfter: 5,
      })
    : new HttpProblem(409, 'account_not_connected', 'the broker rejected the credentials for the account', {
        hint: 'Send the identical request again. If that fails as well, reconnect the brokerage account or enter its key pair again.',
      });
}

function notSent(): HttpProblem {
  return new HttpProblem(503, 'service_busy', 'the gateway could not send the order in time, so it was not sent', {
    hint: 'Send the identical request again: the approval has not been used.',
    retryAfter: 1,
  });
}

function takenOver(): HttpProblem {
  return new HttpProblem(503, 'service_busy', 'another gateway is already executing the approval', {
    hint: 'Check the proposal, which shows the outcome.',
    retryAfter: 1,
  });
}

/** Returns the problem for an order that the broker does not have and that may no longer be sent. */
export function approvalExpiredProblem(): HttpProblem {
  return notPlacedProblem('the approval expired before the broker accepted the order');
}

function clientOrderIdTaken(): HttpProblem {
  return new HttpProblem(
    409,
    'client_order_id_conflict',
    'the broker already has a different order with this client_order_id',
    {
      hint: 'Propose the order again with a different client_order_id.',
      fields: ['client_order_id'],
    },
  );
}

export function notPlacedProblem(why: string, reason?: PolicyReason): HttpProblem {
  return new HttpProblem(409, 'not_placed', `${why}: no order was placed`, {
    hint: 'Propose the order again.',
    ...(reason === undefined ? {} : { members: { reason, reasons: [reason] } }),
  });
}
