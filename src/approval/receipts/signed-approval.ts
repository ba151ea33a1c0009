import type { SigningKey } from '../../store/signing-key-store.ts';
import type { ApprovedProposal, SignedApproval } from '../../trading/receipt.ts';
import { Refusal } from '../../trading/refusal.ts';
import { proposalDigest } from '../details.ts';
import { type ApprovalStatement, statementChallenge } from '../signature/statement.ts';
import { verifyAssertion } from '../signature/verify-evidence.ts';
import { NoReceipt, same } from './receipt-form.ts';

/**
 * Whether a proposal is what its digest is of, and its owner's own key (and a second person's, where there are two) signed
 * just that.
 * @throws {NoReceipt}
 */
export async function requireApproved(
  gateway: string,
  proposal: ApprovedProposal,
  approvals: readonly SignedApproval[],
): Promise<void> {
  if (proposalDigest(proposal) !== proposal.digest) {
    throw new NoReceipt('proposal', 'the digest is not that of what was proposed');
  }
  const [owner, second] = approvals;
  if (owner === undefined) throw new NoReceipt('not_signed', 'nobody’s key signed it');
  if (owner.sub !== proposal.sub) throw new NoReceipt('not_signed', 'it was not its owner who signed it');
  if (second?.sub === owner.sub) throw new NoReceipt('not_signed', 'the same person signed it twice');
  const statement = statementOf(gateway, proposal);
  for (const approval of approvals) {
    requirePaperForSoftware(proposal, approval);
    await requireSigned(statement, approval);
  }
}

/** What approving it takes: made anew, never taken from the evidence. */
function statementOf(gateway: string, proposal: ApprovedProposal): ApprovalStatement {
  const { id, digest, code, worst_case, nonce } = proposal;
  if (nonce === null) throw new NoReceipt('statement', 'it was proposed before approvals were signed');
  const fixed = { v: 1, purpose: 'trade-agent.approval', decision: 'approve' } as const;
  return { ...fixed, gateway, proposal: id, digest, code, worst_case, nonce };
}

/** The terminal phone's keys lie where whoever has the machine can have them. */
function requirePaperForSoftware({ subject }: ApprovedProposal, { sub, evidence }: SignedApproval): void {
  if (evidence.method !== 'software' || JSON.stringify(subject).includes('"environment":"live"') === false)
    return;
  throw new NoReceipt('phone_key', `a software key of ${sub} does not count for live money`);
}

async function requireSigned(statement: ApprovalStatement, approval: SignedApproval): Promise<void> {
  const { sub, evidence, origin, rp_id: rpId, key } = approval;
  if (!same(evidence.statement, statement)) {
    throw new NoReceipt('statement', 'something else was signed than what was proposed');
  }
  if (key.credential_id !== evidence.credential_id || key.method !== evidence.method) {
    throw new NoReceipt('phone_key', 'the key is not the one that signed');
  }
  const host = URL.canParse(origin) ? new URL(origin).hostname : '';
  if (host !== rpId && !host.endsWith(`.${rpId}`)) {
    throw new NoReceipt('phone_key', 'keys of that host are of no use on that page');
  }
  const challenge = statementChallenge(statement).toString('base64url');
  const asEnrolled: SigningKey = {
    credentialId: key.credential_id,
    sub,
    publicKey: Buffer.from(key.public_key, 'base64url'),
    algorithm: key.algorithm,
    // Whether its counter rose was looked at when it came.
    counter: 0,
    method: key.method,
    deviceType: key.device_type,
    backedUp: false,
    name: key.name,
    transports: [],
    enrolledAt: Date.parse(key.enrolled_at),
  };
  try {
    await verifyAssertion(
      {
        credentialId: evidence.credential_id,
        authenticatorData: evidence.authenticator_data,
        clientDataJSON: evidence.client_data_json,
        signature: evidence.signature,
      },
      { challenge: (signed) => signed === challenge, origin, rpId, sub, method: evidence.method },
      { byId: async (id) => (id === asEnrolled.credentialId ? asEnrolled : undefined) },
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new NoReceipt('phone_signature', error.message);
  }
}
