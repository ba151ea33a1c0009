import { isTradeAgentError } from '../errors/errors.ts';
import { problemCodeOf } from '../errors/problem-codes.ts';
import { failpoint } from '../machine/failpoint.ts';
import type { Reason, StoredProposal } from '../store/proposal-store.ts';
import type { BackchannelAuthentication } from './asking-port.ts';
import { haltedReason, passesHalt } from './halts.ts';
import { questionOf } from './question.ts';
import type { Attention } from './waiting/attention.ts';

/** With less than this left, nobody could read the order and decide: it counts as expired. */
const SHORTEST_MS = 5_000;
/** Waits between the tries, milliseconds; short, since somebody may be watching. */
const BACKOFF_MS = [1_000, 2_000] as const;

/**
 * Asks the owner on their phone (CIBA), and keeps the answer's id, interval and deadline in the row. Should the gateway
 * die between the two, they are asked a second time: the first question's token then reaches nobody, and a provider
 * that knows proposals shows the second in its place.
 */
export async function askOwner(attention: Attention, proposal: StoredProposal): Promise<void> {
  const { moves, halts, moved } = attention;
  if (!passesHalt(proposal.kind) && (await halts.haltedAt(proposal.sub)) !== undefined) {
    moved(await moves.move(proposal, 'cancelled', { reason: haltedReason }));
    return;
  }
  await putQuestion(attention, proposal);
}

/** Asks whoever's turn it is, unless it is settled or asked by somebody else meanwhile. */
export async function putQuestion(attention: Attention, proposal: StoredProposal): Promise<void> {
  const { store, moves, clock, asking, moved, signal, notificationTokens } = attention;
  const { id, deadline, state } = proposal;
  const asked = proposal.asked + 1;
  const question = {
    ...questionOf(attention, proposal),
    acr: await attention.acrFor?.(proposal),
    notificationToken: notificationTokens.of({ id, asked }),
  };
  failpoint('ask.before_call');
  let sent: BackchannelAuthentication | undefined;
  for (let tries = 1; sent === undefined; tries++) {
    const left = deadline - clock.now();
    if (left < SHORTEST_MS) {
      const reason: Reason = {
        code: 'approval_expired',
        text: 'the time to approve it ran out before anybody could be asked',
      };
      moved(await moves.move(proposal, 'expired', { reason }));
      return;
    }
    try {
      sent = await asking.request({ ...question, expiresIn: Math.floor(left / 1000) });
    } catch (error) {
      signal.throwIfAborted();
      const wait = untilNextTry(tries, error);
      if (wait === undefined || clock.now() + wait > deadline - SHORTEST_MS) {
        moved(
          await moves.move(proposal, 'blocked', {
            reason: notAsked(proposal, question.asked.sub, error),
          }),
        );
        return;
      }
      await clock.sleep(wait, signal);
    }
    // Withdrawn meanwhile.
    if (sent === undefined && (await store.get(id))?.state !== state) return;
  }
  failpoint('ask.answered');
  const { authReqId, interval } = sent;
  const expiresAt = Math.min(sent.expiresAt, deadline);
  const requested = await moves.move(proposal, 'requested', { authReqId, interval, expiresAt, asked });
  // Withdrawn while they were asked.
  if (requested.outcome !== 'moved') return void (await asking.tell(authReqId, withdrawn));
  moved(requested);
  failpoint('ask.stored');
}

const withdrawn = { state: 'cancelled', text: 'withdrawn' } as const;

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
