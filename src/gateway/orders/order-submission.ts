import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import {
  DispatchDeadline,
  deadlineAfter,
  hasPassed,
  momentOf,
  withDispatchDeadline,
} from '../../net/dispatch-deadline.ts';
import type { JournalEntry, OrderJournal, OrderKey } from '../../store/order-journal.ts';
import { safeLine } from '../../text/shown-text.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { MarketClock, Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { OpenAccount } from '../broker/accounts.ts';
import type { Broker, Submission } from '../broker/broker.ts';
import type { BrokerTraits } from '../broker/broker-traits.ts';
import type { Absence } from './absence.ts';
import { isOrderOf, notReplaceable } from './replacement.ts';

/*
 * From a claimed intent to an outcome: why one approval is never two orders, and why no order is lost.
 *
 * What proves what:
 *
 *  1. The broker takes each client_order_id once, even after the order is over (see `Broker`), and every submission for an
 *     approval carries the same one. So however many submissions arrive, and however late, there is at most one order.
 *     Nothing below is needed for this. To a broker without this property (its traits say so) nothing is sent twice.
 *  2. An answer from the broker is proof, whenever it comes: an acceptance, a duplicate, a refusal of a first submission. So
 *     is an order found by its client_order_id.
 *  3. A timeout proves nothing: it limits how long we listen, not how long the operating system and the network deliver. The
 *     connection is reset, which makes a late arrival less likely and proves nothing either; nor does the process's death.
 *  4. A miss (the broker does not know the id) proves nothing by itself. The request may still be on its way, and the
 *     broker's reads lag behind its writes.
 *  5. A refusal of a second submission ("insufficient buying power", say) says nothing about the first, which may be the
 *     reason for it. So once an order was sent while an earlier submission might have been taken (`ambiguous`), no refusal
 *     settles it. The journal checks this in the transaction that would write the refusal.
 *
 * What ends a submission:
 *
 *  6. No byte of a submission leaves more than DISPATCH_MS after the checks that allowed it, or after its approval has
 *     expired, by the wall clock or by the monotonic clock. Both are compared after the connection is made, synchronously
 *     before the write (net/dispatch-deadline.ts), so it does not matter where a process, a machine or a network stood still.
 *     A submission that is stopped there was not sent, which is proof.
 *  7. Only one process may send: it takes that right in the journal by compare-and-set on the number of submissions. Sending
 *     again needs the approval and every check again, and QUIET_MS since the last time; by (1) a wrong QUIET_MS would cost a
 *     duplicate that the broker refuses, not a second order. After the claim the process also checks that no other one has
 *     taken over the proposal, which may by now be reporting that nothing was placed.
 *
 * When an order is reported as not placed although the broker never said so:
 *
 *  8. An order is written off only when its approval has expired, so by (6) nothing more will leave; when nobody has sent it
 *     again since the first miss; when no request for it is open in this process; and when the broker has answered for
 *     ABSENCE_MS of awake time that it does not have it (absence.ts). This is an inference, because of (3).
 *  9. So it is provisional. Its reservation (its share of the mandate and of the day's limits) is kept until the trading day
 *     is over. Proof overrides it at any time: the journal then records the order as placed and counts it again, the proposal
 *     becomes `executed`, and its owner is told (adoption.ts). Reconciliation looks it up again at each start, after each
 *     sleep and every day for 30 days (reconciliation.ts).
 * 10. A lookup made for another order settles nothing. An order is looked up on behalf of its own proposal alone.
 *
 * All of this holds for a replacement, which has a client_order_id of its own. An order is replaced at most once: sent again
 * after it was taken, the change is refused because the earlier order is closed, and by (5) that refusal settles nothing.
 */

/** Before an order may be sent again, milliseconds: most submissions are delivered or lost by then. See (7). */
export const QUIET_MS = 30_000;

/** How long a submission may take from its checks to the first byte, milliseconds. See (6). */
export const DISPATCH_MS = 15_000;

/** A check that took longer describes another moment than that of sending, milliseconds. */
const FRESH_MS = 1_000;

/** Between lookups after a submission without an answer; the first is immediate. */
const LOOKUP_WAITS_MS = [200, 500, 1000, 2000] as const;

export interface SubmissionContext {
  readonly journal: OrderJournal;
  readonly clock: Clock;
  readonly absence: Absence;
  /** Called when an order that was recorded as rejected is found at the broker. */
  readonly adopted: (entry: JournalEntry) => Promise<void>;
}

interface SendingContext extends SubmissionContext {
  /** Why it must not be sent after all (409 `not_placed`); called right before the broker. */
  readonly stopped: (intent: Intent) => Promise<Refusal | undefined>;
  /** Whether no other process has taken over its proposal; see (7). */
  readonly isOurs?: (() => Promise<boolean>) | undefined;
}

export interface Intent extends OrderKey {
  readonly draft: OrderDraft;
  readonly replaces?: string | undefined;
}

/**
 * Sends an order whose intent is in the journal, and records the outcome. @returns the entry, `placed` or `rejected`
 * @param send one request with the draft's client_order_id: a submission, or a replacement
 * @throws {Refusal} 504 `outcome_unknown`, 503 `broker_busy`, `service_busy`, 409 `account_not_connected`
 */
export async function submitIntent(
  intent: Intent,
  send: () => Promise<Submission>,
  broker: OpenAccount,
  context: SendingContext,
): Promise<JournalEntry> {
  const { journal, clock } = context;
  const { draft } = intent;
  failpoint('gateway.before_submit');
  const cleared = await clearToSend(intent, context);
  if (!(cleared instanceof DispatchDeadline)) return await recordUnsent(cleared, intent, context);
  const submission = await withDispatchDeadline(cleared, send);
  failpoint('gateway.submitted');
  const settled = await recordAnswer(submission, cleared, intent, context);
  if (settled !== undefined) return settled;
  await journal.doubt(intent, clock.now());
  const found =
    broker.traits.clientOrderId.lookedUp === 'never' ? undefined : await lookUp(draft, broker, clock);
  if (found === undefined) throw outcomeUnknown(draft.client_order_id);
  return await recordFound(found, intent, context);
}

/**
 * The last check: the approval may have expired, and trading may have been halted. Repeated if the process stood still
 * meanwhile.
 * @returns until when it may leave, or why it may not; `taken_over` if another process decides about it
 */
async function clearToSend(
  intent: Intent,
  { clock, stopped, isOurs }: SendingContext,
): Promise<DispatchDeadline | Refusal | 'taken_over'> {
  for (;;) {
    const lookedAt = momentOf(clock);
    const left = Math.min(Date.parse(intent.draft.expires_at) - lookedAt.wall, DISPATCH_MS);
    if (left <= 0) return expiredUnplaced();
    if (isOurs !== undefined && !(await isOurs())) return 'taken_over';
    const reason = await stopped(intent);
    if (reason !== undefined) return reason;
    if (!hasPassed(FRESH_MS, clock, lookedAt)) return deadlineAfter(left, clock, lookedAt);
  }
}

/** Nothing was sent: takes the claim back for the process that took over, or records why; see (6) and (7). */
async function recordUnsent(
  why: Refusal | 'taken_over',
  intent: Intent,
  { journal, clock }: SubmissionContext,
): Promise<JournalEntry> {
  const id = intent.draft.client_order_id;
  if (why === 'taken_over') {
    throw (await journal.release(intent, clock.now())) === 'stale' ? outcomeUnknown(id) : takenOver();
  }
  const refused = await journal.refuse(intent, why.toProblem(), clock.now());
  const entry = await entryOf(journal, intent);
  if (refused === 'stale' && !isSettled(entry)) throw outcomeUnknown(id);
  return entry;
}

/**
 * Records what the broker's answer proves; see (2), (3) and (5).
 * @returns undefined if the order has to be looked up
 * @throws {Refusal} if this submission came to nothing and the order may be sent again
 */
async function recordAnswer(
  submission: Submission,
  deadline: DispatchDeadline,
  intent: Intent,
  context: SubmissionContext,
): Promise<JournalEntry | undefined> {
  const { journal, clock } = context;
  switch (submission.outcome) {
    case 'accepted':
      // The answer to our own request: whatever it looks like, this is the order that came of it.
      return await recordPlaced(submission.order, intent, context, 'answered');
    case 'not_taken':
      if ((await journal.release(intent, clock.now())) === 'stale') return undefined;
      throw notTaken(submission);
    case 'refused': {
      if (submission.reason === 'duplicate') return undefined;
      const refused = await journal.refuse(intent, brokerRefusal(submission).toProblem(), clock.now());
      return refused === 'stale' ? undefined : await entryOf(journal, intent);
    }
    case 'unknown':
      // Stopped before it was sent: the checks are made again, as for a request that the broker did not take.
      if (deadline.nothingLeft && (await journal.release(intent, clock.now())) === 'released')
        throw notSent();
      return undefined;
  }
}

/**
 * Asks the broker once for an entry without an outcome. @returns the settled entry; undefined if nothing can be concluded
 */
export async function settleByLookup(
  entry: JournalEntry,
  broker: OpenAccount,
  context: SubmissionContext,
): Promise<JournalEntry | undefined> {
  const { absence, clock } = context;
  const { lookedUp } = broker.traits.clientOrderId;
  if (lookedUp === 'never') return undefined;
  const order = await lookUpOnce(entry, broker, context);
  if (order !== undefined) return await recordFound(order, entry, context);
  // It may have been taken, and no longer be listed.
  if (lookedUp !== 'for_good') return undefined;
  const name = nameOf(entry);
  if (clock.now() < Date.parse(entry.draft.expires_at)) {
    absence.forget(name);
    return undefined;
  }
  if (entry.submittedAt === null) return await abandonUnsent(entry, context);
  if (!absence.missed(name, `${entry.submissions} ${entry.submittedAt}`)) return undefined;
  return await writeOff(entry, broker, context);
}

/** Looks for an order that was written off. @returns the entry, adopted if the broker has the order */
export async function recheck(
  entry: JournalEntry,
  broker: OpenAccount,
  context: SubmissionContext,
): Promise<JournalEntry> {
  if (broker.traits.clientOrderId.lookedUp === 'never') return entry;
  const order = await broker.orderByClientOrderId(entry.clientOrderId);
  // Another order under its id is no proof of this one: the id is taken, so this one can never arrive.
  if (order === undefined || !isOrderOf(order, entry)) return entry;
  return await recordPlaced(order, entry, context, 'found');
}

/** No submission was taken, and after the approval expired nobody sends it again. */
async function abandonUnsent(
  entry: JournalEntry,
  { journal, clock }: SubmissionContext,
): Promise<JournalEntry | undefined> {
  const abandoned = await journal.abandon(entry, expiredUnplaced().toProblem(), clock.now());
  return abandoned === 'rejected' ? await entryOf(journal, entry) : undefined;
}

async function lookUpOnce(
  entry: JournalEntry,
  broker: OpenAccount,
  { absence }: SubmissionContext,
): Promise<Order | undefined> {
  try {
    const order = await broker.orderByClientOrderId(entry.clientOrderId);
    failpoint('gateway.asked');
    if (order !== undefined) absence.forget(nameOf(entry));
    return order;
  } catch (error) {
    absence.forget(nameOf(entry));
    throw error;
  }
}

/** See (8) and (9) at the top. */
async function writeOff(
  entry: JournalEntry,
  broker: OpenAccount,
  { journal, clock, absence }: SubmissionContext,
): Promise<JournalEntry | undefined> {
  const [account, market] = await Promise.all([broker.account(), broker.clock()]);
  // It was sent to the account it was approved for; the user may have connected another one since.
  if (account.account !== entry.draft.account) return undefined;
  const now = clock.now();
  const written = await journal.writeOff(entry, expiredUnplaced().toProblem(), {
    now,
    reservedUntil: tradingDayEnd(market, now),
  });
  absence.forget(nameOf(entry));
  return written === 'stale' ? undefined : await entryOf(journal, entry);
}

/** The end of the New York day of the current or next session, milliseconds since the epoch. */
function tradingDayEnd({ next_close }: MarketClock, now: number): number {
  const closes = Date.parse(next_close);
  const last = Math.max(now, Number.isNaN(closes) ? now : closes);
  return newYorkInstant(addDays(newYorkDate(last), 1), '00:00');
}

/** JSON, since no separator is safe in what a provider may call a user. */
export function nameOf({ sub, clientOrderId }: OrderKey): string {
  return JSON.stringify([sub, clientOrderId]);
}

export function isSettled({ state }: JournalEntry): boolean {
  return state === 'placed' || state === 'rejected';
}

/** Whether it may be sent (again) now, as far as broker and time tell; see (2) at the top. */
export function maySubmitAgain(
  { submittedAt }: Pick<JournalEntry, 'submittedAt'>,
  { clientOrderId }: Pick<BrokerTraits, 'clientOrderId'>,
  now: number,
): boolean {
  if (submittedAt === null) return true;
  return clientOrderId.takenOnce && clientOrderId.lookedUp === 'for_good' && now >= submittedAt + QUIET_MS;
}

async function lookUp(draft: OrderDraft, broker: Broker, clock: Clock): Promise<Order | undefined> {
  for (const wait of [0, ...LOOKUP_WAITS_MS]) {
    if (wait > 0) await clock.sleep(wait);
    try {
      const order = await broker.orderByClientOrderId(draft.client_order_id);
      if (order !== undefined) return order;
    } catch (error) {
      // The broker may answer at the next lookup; at the end the outcome is unknown, not failed.
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return undefined;
}

async function recordFound(order: Order, intent: Intent, context: SubmissionContext): Promise<JournalEntry> {
  if (isOrderOf(order, intent)) return await recordPlaced(order, intent, context, 'found');
  const { journal, clock } = context;
  await journal.reject(intent, idTaken().toProblem(), clock.now());
  return await entryOf(journal, intent);
}

/** Proof that the broker has it, whatever the journal says. */
async function recordPlaced(
  order: Order,
  intent: Intent,
  { journal, clock, adopted }: SubmissionContext,
  how: 'answered' | 'found',
): Promise<JournalEntry> {
  const came = await journal.place(intent, order, clock.now());
  if (how === 'answered') failpoint('gateway.recorded');
  else failpoint('gateway.settled');
  const entry = await entryOf(journal, intent);
  if (came === 'adopted') await adopted(entry);
  return entry;
}

export async function entryOf(
  journal: OrderJournal,
  { sub, clientOrderId }: OrderKey,
): Promise<JournalEntry> {
  const entry = await journal.find(sub, clientOrderId);
  if (entry === undefined) throw new Error('the order journal has lost an entry');
  return entry;
}

export function outcomeUnknown(clientOrderId: string): Refusal {
  return new Refusal(
    504,
    'outcome_unknown',
    'the broker gave no answer, and it is not known whether it took the order',
    {
      hint: 'Ask again by client_order_id, or send the very same request again. Do not propose the order again before it is settled.',
      members: { client_order_id: clientOrderId },
      retryAfter: Math.ceil(QUIET_MS / 1000),
    },
  );
}

function brokerRefusal(refused: Submission & { outcome: 'refused' }): Refusal {
  const members = {
    broker_message: safeLine(refused.message, 300),
    ...defined({ broker_code: refused.brokerCode }),
  };
  if (refused.reason === 'not_replaceable') {
    return notReplaceable('the broker says that the order can no longer be replaced', members);
  }
  return refused.reason === 'insufficient_funds'
    ? new Refusal(422, 'insufficient_funds', 'the account has not enough buying power for the order', {
        hint: 'Propose a smaller order.',
        members,
      })
    : new Refusal(422, 'broker_rejected', 'the broker rejected the order', {
        hint: 'See broker_message for its reason; propose another order.',
        members,
      });
}

function notTaken({ reason }: Submission & { outcome: 'not_taken' }): Refusal {
  return reason === 'rate_limited'
    ? new Refusal(503, 'broker_busy', 'the broker asks for fewer requests and did not take the order', {
        hint: 'Send the very same request again in a moment: the approval still stands.',
        retryAfter: 5,
      })
    : new Refusal(409, 'account_not_connected', 'the broker does not accept the connection to the account', {
        hint: 'Send the very same request again; if that fails too, connect the brokerage account again, or give its key pair again.',
      });
}

function notSent(): Refusal {
  return new Refusal(
    503,
    'service_busy',
    'the gateway could not send the order in time, and did not send it',
    {
      hint: 'Send the very same request again: the approval is still unused.',
      retryAfter: 1,
    },
  );
}

function takenOver(): Refusal {
  return new Refusal(503, 'service_busy', 'another gateway carries out the approval by now', {
    hint: 'Look at the proposal: it tells what came of it.',
    retryAfter: 1,
  });
}

/** For an order that nobody may send anymore, and that the broker does not have. */
export function expiredUnplaced(): Refusal {
  return neverPlaced('the approval expired before the broker took the order');
}

function idTaken(): Refusal {
  return new Refusal(
    409,
    'client_order_id_conflict',
    'the broker holds another order under this client_order_id',
    {
      hint: 'Propose the order again, under another client_order_id.',
      fields: ['client_order_id'],
    },
  );
}

export function neverPlaced(why: string, reason?: PolicyReason): Refusal {
  return new Refusal(409, 'not_placed', `${why}: there is no order`, {
    hint: 'Propose the order again.',
    ...(reason === undefined ? {} : { members: { reason, reasons: [reason] } }),
  });
}
