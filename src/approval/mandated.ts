import type { StoredProposal } from '../store/proposal-store.ts';
import { haltedReason, passesHalt } from './halts.ts';
import type { Approved } from './kind.ts';
import type { Attention } from './waiting/attention.ts';

/** Its owner has said yes beforehand: they are not asked, and no token comes of it. */
export async function approveByMandate(
  { moves, moved, halts }: Attention,
  proposal: StoredProposal,
): Promise<void> {
  const isHalted = !passesHalt(proposal.kind) && (await halts.haltedAt(proposal.sub)) !== undefined;
  moved(
    isHalted
      ? await moves.move(proposal, 'cancelled', { reason: haltedReason })
      : await moves.move(proposal, 'approved'),
  );
}

/**
 * A mandate's yes, in the form that a token's has. What the broker is opened with is the session that is at hand: the
 * proposer's own at first. After a restart there is none until one of the person's programs comes by; key pairs need none.
 */
export function mandateApproval(
  { askerOf }: Pick<Attention, 'askerOf'>,
  { sub, client, proposedBy = sub, createdAt, membership, subjectId, deadline }: StoredProposal,
  mandate: string,
): Approved {
  const asker = askerOf(sub);
  return {
    sub,
    proposer: { sub: proposedBy, client, at: createdAt, membership },
    clientId: asker?.clientId ?? client,
    mandate,
    jti: `m:${mandate}:${subjectId}`,
    authorizationDetails: undefined,
    accessToken: asker?.accessToken ?? '',
    expiresAt: deadline,
  };
}
