import { isTradeAgentError } from '../errors/errors.ts';
import { problemCodeOf } from '../errors/problem-codes.ts';
import type { StoredProposal } from '../store/proposal-store.ts';
import { Refusal } from '../trading/refusal.ts';
import { putQuestion } from './ask-owner.ts';
import { deniedAbout, endOf, provesNothing, verifyYes } from './carry-out.ts';
import { noteDenied } from './denied.ts';
import type { Attention } from './waiting/attention.ts';

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

/** Looks at the owner's yes, then asks the second person. */
export async function askSecond(attention: Attention, proposal: StoredProposal): Promise<void> {
  const { moves, moved } = attention;
  try {
    await verifyYes(attention, proposal, 'owner', { isFirst: true });
  } catch (error) {
    const refusal = isTradeAgentError(error) ? new Refusal(500, problemCodeOf(error), error.message) : error;
    if (!(refusal instanceof Refusal)) throw error;
    if (provesNothing(refusal) && attention.clock.now() < proposal.deadline) {
      await attention.rest(RETRY_MS);
      return;
    }
    await noteDenied(attention, deniedAbout(proposal), refusal);
    const { to, reason } = endOf(refusal);
    moved(await moves.move(proposal, to, { reason }));
    return;
  }
  await putQuestion(attention, proposal);
}

/** Before it is looked at again, milliseconds. */
const RETRY_MS = 2_000;
