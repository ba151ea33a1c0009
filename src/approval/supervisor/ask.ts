import { isTradeAgentError } from '../../errors/errors.ts';
import { problemCodeOf } from '../../errors/problem-codes.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { Reason, StoredProposal } from '../../store/proposal-store.ts';
import { Refusal } from '../../trading/refusal.ts';
import { haltedReason, mandateOf, passesHalt } from '../access.ts';
import type { BackchannelAuthentication, Outcome, Question } from '../asking-port.ts';
import { deniedAbout, endOf, provesNothing, verifyYes } from '../carry-out.ts';
import { noteDenied } from '../denied.ts';
import type { KernelContext } from '../kernel-context.ts';
import { questionOf } from '../question.ts';

/** With less than this left, nobody could read the order and decide: it counts as expired. */
const SHORTEST_MS = 5_000;
/** Waits between the tries, milliseconds; short, since somebody may be watching. */
const BACKOFF_MS = [1_000, 2_000] as const;
/** Before an owner's yes that cannot be verified yet is looked at again, milliseconds. */
const VERIFY_AGAIN_MS = 2_000;

const withdrawn: Outcome = { state: 'cancelled', text: 'withdrawn' };

/**
 * Takes a drafted proposal to its owner: by a mandate that they gave before, or by a question on their phone.
 * @param signal aborts when this process is to stop supervising it
 */
export async function askOwner(
  context: KernelContext,
  proposal: StoredProposal,
  signal: AbortSignal,
): Promise<void> {
  const { moves, halts } = context.parts;
  if (!passesHalt(proposal.kind) && (await halts.haltedAt(proposal.sub)) !== undefined) {
    context.announce(await moves.move(proposal, 'cancelled', { reason: haltedReason }));
  } else if (mandateOf(proposal) !== undefined) {
    // Its owner has said yes beforehand: they are not asked, and no token comes of it.
    context.announce(await moves.move(proposal, 'approved'));
  } else await putQuestion(context, proposal, signal);
}

/*
 * Where the owner's yes is not enough, a second person is asked after them, in a question of their own about the very same
 * details: both sign one digest.
 *
 *  1. The proposal stays `requested` until both have said yes; a no of either, or its time, ends it.
 *  2. The owner's yes is verified when it comes, signature and all, before a second phone rings, and kept sealed in the row
 *     with the id of the question that it answers. From then on the row says that the second person's is what is waited for.
 *  3. A gateway that dies in between finds the row so: it asks the second person (again, if it must), never the owner.
 *  4. Both are verified again before it is carried out. The owner's token may have run out by then: what it said was looked
 *     at in time. Where the account at the broker can be opened by that token alone, nothing is sent, and that is told.
 */

/**
 * Verifies the owner's yes, then asks the second person.
 * @returns milliseconds to wait before another try, 0 if it went on
 */
export async function askSecond(
  context: KernelContext,
  proposal: StoredProposal,
  signal: AbortSignal,
): Promise<number> {
  const { moves, clock } = context.parts;
  try {
    await verifyYes(context.parts, proposal, 'owner', { isFirst: true });
  } catch (error) {
    const refusal = isTradeAgentError(error) ? new Refusal(500, problemCodeOf(error), error.message) : error;
    if (!(refusal instanceof Refusal)) throw error;
    if (provesNothing(refusal) && clock.now() < proposal.deadline) return VERIFY_AGAIN_MS;
    await noteDenied(context.parts, deniedAbout(proposal), refusal);
    const { to, reason } = endOf(refusal);
    context.announce(await moves.move(proposal, to, { reason }));
    return 0;
  }
  await putQuestion(context, proposal, signal);
  return 0;
}

/**
 * Asks whoever's turn it is on their phone (CIBA), unless it is settled or asked by somebody else meanwhile, and keeps the
 * answer's id, interval and deadline in the row. Should the gateway die between the two, they are asked a second time: the
 * first question's token then reaches nobody, and a provider that knows proposals shows the second in its place.
 */
async function putQuestion(
  context: KernelContext,
  proposal: StoredProposal,
  signal: AbortSignal,
): Promise<void> {
  const { moves, asking, notificationTokens, acrFor } = context.parts;
  const { id, deadline } = proposal;
  const asked = proposal.asked + 1;
  const question = {
    ...questionOf(context.parts, proposal),
    acr: await acrFor?.(proposal),
    notificationToken: notificationTokens.of({ id, asked }),
  };
  failpoint('ask.before_call');
  const sent = await sendQuestion(context, proposal, question, signal);
  if (sent === undefined) return;
  failpoint('ask.answered');
  const { authReqId, interval } = sent;
  const expiresAt = Math.min(sent.expiresAt, deadline);
  const requested = await moves.move(proposal, 'requested', { authReqId, interval, expiresAt, asked });
  // Withdrawn while they were asked.
  if (requested.outcome !== 'moved') return void (await asking.tell(authReqId, withdrawn));
  context.announce(requested);
  failpoint('ask.stored');
}

/** Tries again while the provider is away. @returns undefined if the proposal ended instead */
async function sendQuestion(
  context: KernelContext,
  proposal: StoredProposal,
  question: Omit<Question, 'expiresIn'>,
  signal: AbortSignal,
): Promise<BackchannelAuthentication | undefined> {
  const { store, moves, clock, asking } = context.parts;
  const { id, deadline, state } = proposal;
  for (let tries = 1; ; tries++) {
    const left = deadline - clock.now();
    if (left < SHORTEST_MS) {
      const whom = question.asked.sub === proposal.sub ? 'its owner' : 'the second person';
      const text = `the time to approve it ran out before ${whom} could be asked`;
      const reason: Reason = { code: 'approval_expired', text };
      context.announce(await moves.move(proposal, 'expired', { reason }));
      return undefined;
    }
    try {
      return await asking.request({ ...question, expiresIn: Math.floor(left / 1000) });
    } catch (error) {
      signal.throwIfAborted();
      const wait = untilNextTry(tries, error);
      if (wait === undefined || clock.now() + wait > deadline - SHORTEST_MS) {
        const reason = notAsked(proposal, question.asked.sub, error);
        context.announce(await moves.move(proposal, 'blocked', { reason }));
        return undefined;
      }
      await clock.sleep(wait, signal);
    }
    // Withdrawn meanwhile.
    if ((await store.get(id))?.state !== state) return undefined;
  }
}

/** Milliseconds; undefined where it is not tried again. */
function untilNextTry(tries: number, error: unknown): number | undefined {
  if (!isTradeAgentError(error) || error.code !== 'provider_unreachable') return undefined;
  const { retryAfter } = error.details;
  // A provider that says when it takes more (Auth0: five questions a minute) is asked then, as often as it says so.
  if (typeof retryAfter === 'number') return Math.max(retryAfter * 1000, BACKOFF_MS[0]);
  return BACKOFF_MS[tries - 1];
}

function notAsked({ sub, second }: StoredProposal, asked: string, error: unknown): Reason {
  const who = asked !== sub && asked === second ? 'the second person' : 'the owner';
  return isTradeAgentError(error)
    ? { code: problemCodeOf(error), text: `${who} could not be asked: ${error.message}` }
    : { code: 'provider_error', text: `${who} could not be asked` };
}
