import type { SigningKey } from '../../store/signing-key-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { type OrderDraft, orderDraftSchema } from '../../trading/order.ts';
import {
  type ApprovedProposal,
  type Receipt,
  receiptSchema,
  type SignedApproval,
  type UnsignedReceipt,
} from '../../trading/receipt.ts';
import { proposalDigest } from '../details.ts';
import { type ApprovalStatement, statementChallenge } from '../signature/statement.ts';
import { verifyAssertion } from '../signature/verify-evidence.ts';
import { hasSameCanonicalForm, isPlainJson, ReceiptError, receiptPayload, receiptText } from './receipt-form.ts';
import { type ReceiptJwk, verifyDetachedSignature } from './receipt-key.ts';
import {
  mandateTerms,
  notCovered,
  requireCovered,
  requireOrders,
  requireStates,
  requireWithinWorstCase,
  requireWorstCase,
} from './receipt-orders.ts';
import { requireRecord } from './receipt-record.ts';

const draftsByKind: Readonly<Partial<Record<Receipt['proposal']['kind'], (subject: Subject) => OrderDraft[]>>> = {
  order: (subject) => [subject as unknown as OrderDraft],
  replace: ({ draft }) => [draft as OrderDraft],
  batch: ({ orders }) => orders as OrderDraft[],
};
type Subject = Receipt['proposal']['subject'];

export const receiptKinds = Object.keys(draftsByKind) as (keyof typeof draftsByKind)[];

export function approvedDrafts({ kind, subject }: Pick<Receipt['proposal'], 'kind'> & { subject: unknown }) {
  return draftsByKind[kind]?.(subject as Subject) ?? [];
}

export interface VerifiedReceipt {
  readonly receipt: Receipt;
  readonly signer: ReceiptJwk;
}

/**
 * Verifies that a receipt proves what it says: the owner's own key approved these orders, and they were sent exactly as
 * approved. Verification needs only the file and the keys that the reader trusts.
 * @param text the complete file
 * @param isTrusted whether the reader trusts a gateway's key, given its RFC 7638 thumbprint
 * @throws {ReceiptError} with what is wrong
 */
export async function verifyReceipt(
  text: string,
  isTrusted: (thumbprint: string) => boolean,
): Promise<VerifiedReceipt> {
  const receipt = readReceipt(text);
  const signer = await verifyDetachedSignature(receipt.signature, receiptPayload(receipt));
  if (signer === undefined) {
    throw new ReceiptError('gateway_signature', 'the receipt was changed after its gateway signed it');
  }
  if (!isTrusted(signer.kid)) throw new ReceiptError('signer', `a different key signed the receipt: ${signer.kid}`);
  await requireValidReceipt(receipt, signer);
  return { receipt, signer };
}

function readReceipt(text: string): Receipt {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ReceiptError('form', 'the file is not JSON');
  }
  if (!isPlainJson(value)) throw new ReceiptError('form', 'the file has values that parsers read differently');
  const parsed = receiptSchema.safeParse(value);
  if (!parsed.success) {
    const { path = [] } = parsed.error.issues[0] ?? {};
    throw new ReceiptError('form', `the file is not a receipt (invalid ${path.join('.') || 'members'})`);
  }
  // Schemas elsewhere drop unknown members and correct texts, but here nothing may be left out or corrected.
  if (!hasSameCanonicalForm(parsed.data, value)) {
    throw new ReceiptError('form', 'the file is not a receipt (unknown or unusual members)');
  }
  if (!hasOrderDrafts(parsed.data.proposal))
    throw new ReceiptError('form', 'the file is not a receipt (invalid subject)');
  // A receipt has exactly one valid text, so no byte of it can be changed unnoticed.
  if (receiptText(value as Receipt) !== text) {
    throw new ReceiptError('form', 'the file is not in canonical form (RFC 8785)');
  }
  return value as Receipt;
}

/** Whether the subject has one or more orders, each complete and in its one spelling. */
function hasOrderDrafts({ kind, subject }: Receipt['proposal']): boolean {
  const drafts: unknown = kind === 'batch' ? subject.orders : approvedDrafts({ kind, subject });
  return (
    Array.isArray(drafts) &&
    drafts.length > 0 &&
    drafts.every((draft) => hasSameCanonicalForm(orderDraftSchema.safeParse(draft).data, draft))
  );
}

/**
 * Verifies everything except the gateway's own signature, before it is made.
 * @param signer the receipt's key, which must also have signed the checkpoint
 * @throws {ReceiptError}
 */
export async function requireValidReceipt(receipt: UnsignedReceipt, signer: ReceiptJwk): Promise<void> {
  const { gateway, proposal, approvals, mandate } = receipt;
  if (mandate === null) {
    if (proposal.subject.mandate !== undefined) {
      throw new ReceiptError('mandate', 'the mandate that approved the order is missing');
    }
    await requireApproved(gateway, proposal, approvals);
  } else {
    await requireMandated(receipt, mandate);
  }
  const drafts = approvedDrafts(proposal);
  requireWorstCase(proposal, drafts);
  requireOrders(drafts, receipt.orders);
  requireStates(receipt);
  requireDecision(receipt);
  requireRecord(receipt, drafts, signer);
  requireWithinWorstCase(receipt);
}

/**
 * Requires that the owner signed the mandate, and that the mandate covers the order. A mandate covers single orders:
 * batches and replacements always need their own approval.
 */
async function requireMandated(
  { gateway, proposal, approvals, decision }: UnsignedReceipt,
  mandate: NonNullable<Receipt['mandate']>,
): Promise<void> {
  requireDigest(proposal);
  await requireApproved(gateway, mandate.proposal, mandate.approvals);
  const terms = mandateTerms(mandate);
  if (proposal.kind !== 'order') throw notCovered('more than a single order');
  if (proposal.nonce !== null) throw notCovered('a nonce that no key signed');
  if (approvals.length > 0) throw notCovered('the order has its own approval');
  if (mandate.proposal.sub !== proposal.sub) throw notCovered('different owner');
  for (const draft of approvedDrafts(proposal)) requireCovered(terms, draft, proposal);
  if (decision !== null && decision.policy !== terms.policy) throw notCovered('different rules');
}

function requireDecision({ decision }: UnsignedReceipt): void {
  if (decision === null || (decision.effect === 'allow' && decision.reasons.length === 0)) return;
  throw new ReceiptError('decision', 'the rules did not allow the order');
}

/** Requires that a proposal matches its digest. */
function requireDigest(proposal: ApprovedProposal): void {
  if (proposalDigest(proposal) === proposal.digest) return;
  throw new ReceiptError('proposal', 'the digest does not match the proposal');
}

/**
 * Requires that a proposal matches its digest, and that the owner (and the second approver, if any) signed exactly this
 * proposal with their own keys.
 * @throws {ReceiptError}
 */
async function requireApproved(
  gateway: string,
  proposal: ApprovedProposal,
  approvals: readonly SignedApproval[],
): Promise<void> {
  requireDigest(proposal);
  const [owner, second] = approvals;
  if (owner === undefined) throw new ReceiptError('not_signed', 'no key signed the approval');
  if (owner.sub !== proposal.sub) throw new ReceiptError('not_signed', 'the approval was not signed by the owner');
  if (second?.sub === owner.sub) throw new ReceiptError('not_signed', 'the same person signed the approval twice');
  for (const approval of approvals) {
    requirePaperForSoftware(proposal, approval);
    await requireSigned(expectedStatement(gateway, proposal, approval.sub), approval);
  }
}

/** Returns the statement that approves a proposal, derived from the proposal and never taken from the evidence. */
function expectedStatement(gateway: string, proposal: ApprovedProposal, sub: string): ApprovalStatement {
  const { id, digest, code, worst_case, nonce } = proposal;
  if (nonce === null) throw new ReceiptError('statement', 'the proposal predates signed approvals');
  const fixed = { v: 1, purpose: 'trade-agent.approval', decision: 'approve' } as const;
  return { ...fixed, gateway, proposal: id, digest, sub, code, worst_case, nonce };
}

/** Rejects software keys for live money, because anyone with access to the machine can copy them. */
function requirePaperForSoftware({ subject }: ApprovedProposal, { sub, evidence }: SignedApproval): void {
  if (evidence.method !== 'software' || JSON.stringify(subject).includes('"environment":"live"') === false) return;
  throw new ReceiptError('phone_key', `a software key of ${sub} is not accepted for live money`);
}

async function requireSigned(statement: ApprovalStatement, approval: SignedApproval): Promise<void> {
  const { sub, evidence, origin, rp_id: rpId, key } = approval;
  if (!hasSameCanonicalForm(evidence.statement, statement)) {
    throw new ReceiptError('statement', 'what was signed is not what was proposed');
  }
  if (key.credential_id !== evidence.credential_id || key.method !== evidence.method) {
    throw new ReceiptError('phone_key', 'the key is not the one that signed');
  }
  const host = URL.canParse(origin) ? new URL(origin).hostname : '';
  if (host !== rpId && !host.endsWith(`.${rpId}`)) {
    throw new ReceiptError('phone_key', 'the key’s host does not match the page on which it signed');
  }
  const challenge = statementChallenge(statement).toString('base64url');
  const asEnrolled: SigningKey = {
    credentialId: key.credential_id,
    sub,
    publicKey: Buffer.from(key.public_key, 'base64url'),
    algorithm: key.algorithm,
    // The key's counter was checked when the gateway received the signature.
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
    if (!(error instanceof HttpProblem)) throw error;
    throw new ReceiptError('phone_signature', error.message);
  }
}
