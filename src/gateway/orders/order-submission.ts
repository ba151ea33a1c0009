import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { safeLine } from '../../net/shown-text.ts';
import type { JournalEntry, OrderJournal, OrderKey } from '../../store/order-journal.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Order } from '../../trading/views.ts';
import type { OpenAccount } from '../broker/accounts.ts';
import type { Broker, Submission } from '../broker/broker.ts';
import type { BrokerTraits } from '../broker/broker-traits.ts';
import { isOrderOf, notReplaceable } from './replacement.ts';

/*
 * From a claimed intent to an outcome: never two orders, and no order lost.
 *
 * The broker's answer to a submission may be lost (time-out, dropped connection, 5xx, kill -9 of this process). Then
 *
 *  1. The order is looked up by its client_order_id. A hit proves it was taken. A miss proves nothing: the request may
 *     still be on its way, or the broker's reads may lag behind its writes.
 *  2. Sending it again is safe only because the broker takes each client_order_id once (see `Broker`; of one whose
 *     traits say otherwise nothing is ever sent again): where the first submission was taken, the second is rejected
 *     as a duplicate, and where the first was late and arrives after the second, it is the first that is rejected.
 *     Either way there is one order. So a second submission carries the same client_order_id, is made only for a
 *     request that bears the approval again (and passes every check anew), and not before QUIET_MS have passed since
 *     the last one, so that no submission of ours is still on its way.
 *  3. Only one may send: the right to is taken in the journal by compare-and-set on the number of submissions.
 *  4. A refusal of a second submission ("insufficient buying power", say) says nothing about the first, which may be
 *     the very reason for it. So once a submission is ambiguous, nothing but a hit settles it while the approval
 *     lives. The journal looks whether it is ambiguous in the very transaction that would write the refusal: another
 *     gateway may send the order at any moment before that.
 *  5. After the approval has expired nobody will send the order again, and ABSENCE_MS after that and after the last
 *     submission a miss in the approved account counts as proof that it did not come about.
 *
 * All of it holds for an order that is put in place of another, too: the replacement has a client_order_id of its own,
 * which the broker takes once, and by which it is looked up. And an order is replaced once at most: sent again after it
 * was taken, the change is refused since the earlier order is closed, which (4) does not take for a no.
 */

/** Longer than any submission can be on its way (the broker's time-out, 10 s by default), with room to spare. */
export const QUIET_MS = 30_000;

/** Far longer than any broker's reads lag behind its writes. */
export const ABSENCE_MS = 5 * 60_000;

/** A look that took longer is of another moment than the sending. */
const FRESH_MS = 1_000;

/** Waits between the look-ups after a submission without an answer; the first look-up comes at once. */
const LOOKUP_WAITS_MS = [200, 500, 1000, 2000] as const;

export interface SubmissionContext {
  readonly journal: OrderJournal;
  readonly clock: Clock;
}

/** As {@link SubmissionContext}, where something is sent. */
export interface SendingContext extends SubmissionContext {
  /** Why it must not go out after all (409 `not_placed`), looked at right before the broker is called. */
  readonly stopped: (intent: Intent) => Promise<Refusal | undefined>;
}

/** An order whose intent is in the journal. */
export interface Intent extends OrderKey {
  readonly draft: OrderDraft;
  readonly replaces?: string | undefined;
}

/**
 * Sends an order whose intent is in the journal, and records what became of it.
 * @param send one request that carries the draft's client_order_id: a submission, or the replacement of another order
 * @returns the entry afterwards, `placed` or `rejected`
 * @throws {Refusal} 504 `outcome_unknown`, 503 `broker_busy`, 409 `account_not_connected`
 */
export async function submitIntent(
  intent: Intent,
  send: () => Promise<Submission>,
  broker: OpenAccount,
  context: SendingContext,
): Promise<JournalEntry> {
  const { journal, clock } = context;
  const { draft } = intent;
  const id = draft.client_order_id;
  failpoint('gateway.before_submit');
  const stopped = await reasonNotToSend(intent, context);
  if (stopped !== undefined) {
    const refused = await journal.refuse(intent, stopped.toProblem(), clock.now());
    const entry = await entryOf(journal, intent);
    if (refused === 'stale' && !isSettled(entry)) throw outcomeUnknown(id);
    return entry;
  }
  const submission = await send();
  failpoint('gateway.submitted');
  switch (submission.outcome) {
    case 'accepted':
      // The answer to our own request: whatever it looks like, this is the order that came of it.
      await journal.place(intent, submission.order, clock.now());
      failpoint('gateway.recorded');
      return await entryOf(journal, intent);
    case 'not_taken':
      if ((await journal.release(intent, clock.now())) === 'stale') break;
      throw notTaken(submission);
    case 'refused': {
      if (submission.reason === 'duplicate') break;
      const problem = brokerRefusal(submission).toProblem();
      if ((await journal.refuse(intent, problem, clock.now())) === 'stale') break;
      return await entryOf(journal, intent);
    }
    case 'unknown':
      break;
  }
  await journal.doubt(intent, clock.now());
  const found =
    broker.traits.clientOrderId.lookedUp === 'never' ? undefined : await lookUp(draft, broker, clock);
  if (found === undefined) throw outcomeUnknown(id);
  return await recordFound(found, intent, context);
}

/**
 * Whoever stood still since the approval was checked must not trade on one that has ended meanwhile: the order may count as
 * never placed by now (5), and another be on its way in its place. Whoever stood still while looking looks again: what they
 * saw may have been taken back, and whoever did that been told so.
 */
async function reasonNotToSend(
  intent: Intent,
  { clock, stopped }: Pick<SendingContext, 'clock' | 'stopped'>,
): Promise<Refusal | undefined> {
  for (;;) {
    const lookedAt = clock.now();
    if (lookedAt >= Date.parse(intent.draft.expires_at))
      return neverPlaced('the approval expired before the broker took the order');
    const reason = await stopped(intent);
    if (reason !== undefined || clock.now() - lookedAt < FRESH_MS) return reason;
  }
}

/**
 * Settles an entry whose outcome isn't known, by asking the broker once.
 * @returns the settled entry, or undefined where the broker doesn't know the order (which proves nothing yet)
 */
export async function settleByLookup(
  entry: JournalEntry,
  broker: OpenAccount,
  context: SubmissionContext,
): Promise<JournalEntry | undefined> {
  const { lookedUp } = broker.traits.clientOrderId;
  if (lookedUp === 'never') return undefined;
  const order = await broker.orderByClientOrderId(entry.clientOrderId);
  failpoint('gateway.asked');
  if (order !== undefined) return await recordFound(order, entry, context);
  // It may have been taken, and be listed no more.
  if (lookedUp !== 'for_good') return undefined;
  const { journal, clock } = context;
  const last = Math.max(entry.submittedAt ?? 0, Date.parse(entry.draft.expires_at));
  if (clock.now() < last + ABSENCE_MS) return undefined;
  // What went out is in the account it was approved for; the user may have connected another one since.
  if (entry.submittedAt !== null && (await broker.account()).account !== entry.draft.account)
    return undefined;
  const problem = neverPlaced('the approval expired before the broker took the order').toProblem();
  await journal.reject(entry, problem, clock.now());
  return await entryOf(journal, entry);
}

/** Whether what became of it is known for good. */
export function isSettled({ state }: JournalEntry): boolean {
  return state === 'placed' || state === 'rejected';
}

/** Whether the order may go out (again) now, as far as broker and time tell; see (2) at the top. */
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
      // A broker that is down now may answer at the next look-up; at the end the outcome is unknown, not failed.
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return undefined;
}

async function recordFound(
  order: Order,
  intent: Intent,
  { journal, clock }: SubmissionContext,
): Promise<JournalEntry> {
  if (isOrderOf(order, intent)) {
    await journal.place(intent, order, clock.now());
    failpoint('gateway.settled');
  } else {
    await journal.reject(intent, idTaken().toProblem(), clock.now());
  }
  return await entryOf(journal, intent);
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
      hint: 'Ask again by client_order_id, or send the very same request again. Do not propose the order anew before it is settled.',
      members: { client_order_id: clientOrderId },
      retryAfter: Math.ceil(QUIET_MS / 1000),
    },
  );
}

function brokerRefusal(refused: Submission & { outcome: 'refused' }): Refusal {
  const members = {
    broker_message: safeLine(refused.message, 300),
    ...(refused.brokerCode === undefined ? {} : { broker_code: refused.brokerCode }),
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

function idTaken(): Refusal {
  return new Refusal(
    409,
    'client_order_id_conflict',
    'the broker holds another order under this client_order_id',
    {
      hint: 'Propose the order anew, under another client_order_id.',
      fields: ['client_order_id'],
    },
  );
}

/** @param reason of the rule that stopped it, where one did */
export function neverPlaced(why: string, reason?: PolicyReason): Refusal {
  return new Refusal(409, 'not_placed', `${why}: there is no order`, {
    hint: 'Propose the order anew.',
    ...(reason === undefined ? {} : { members: { reason, reasons: [reason] } }),
  });
}
