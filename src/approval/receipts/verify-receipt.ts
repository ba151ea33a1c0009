import { type OrderDraft, orderDraftSchema } from '../../trading/order.ts';
import {
  type ApprovedProposal,
  type GrantReceipt,
  grantReceiptSchema,
  type Receipt,
  receiptSchema,
  type SignedApproval,
  type UnsignedReceipt,
} from '../../trading/receipt.ts';
import { isObject } from '../../values/is-object.ts';
import { proposalDigest } from '../details.ts';
import type { ApprovalStatement } from '../signature/statement.ts';
import { requireValidGrant } from './grant-receipt.ts';
import { requirePhoneSignature } from './phone-signature.ts';
import { hasSameCanonicalForm, isPlainJson, ReceiptError, receiptPayload, receiptText } from './receipt-form.ts';
import { type ReceiptJwk, verifyDetachedSignature } from './receipt-key.ts';
import {
  mandateMismatchError,
  mandateTerms,
  requireApprovedOrders,
  requireMandateMatch,
  requireMatchingStates,
  requireWithinWorstCase,
  requireWorstCase,
} from './receipt-orders.ts';
import { requireMatchingRecord } from './receipt-record.ts';

const draftsByKind: Readonly<Partial<Record<Receipt['proposal']['kind'], (subject: Subject) => OrderDraft[]>>> = {
  order: (subject) => [subject as unknown as OrderDraft],
  replace: ({ draft }) => [draft as OrderDraft],
  batch: ({ orders }) => orders as OrderDraft[],
};
type Subject = Receipt['proposal']['subject'];

export const receiptKinds = Object.keys(draftsByKind) as (keyof typeof draftsByKind)[];

export function getApprovedDrafts({ kind, subject }: Pick<Receipt['proposal'], 'kind'> & { subject: unknown }) {
  return draftsByKind[kind]?.(subject as Subject) ?? [];
}

export interface VerifiedReceipt {
  readonly receipt: Receipt | GrantReceipt;
  readonly signer: ReceiptJwk;
}

/**
 * Verifies that a receipt proves its claim: the owner's own key approved these orders, and they were sent exactly as
 * approved; or a person's own key gave this access. Verification needs only the file and the reader's trusted keys.
 * @param text the complete file
 * @param isTrusted whether the reader trusts a gateway's key, given its RFC 7638 thumbprint
 * @throws {ReceiptError} whose message names the first fault
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
  if (isGrantReceipt(receipt)) await requireValidGrant(receipt, signer);
  else await requireValidReceipt(receipt, signer);
  return { receipt, signer };
}

function isGrantReceipt(receipt: Receipt | GrantReceipt): receipt is GrantReceipt {
  return receipt.type === 'trade-agent.grant-receipt';
}

function readReceipt(text: string): Receipt | GrantReceipt {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ReceiptError('form', 'the file is not JSON');
  }
  if (!isPlainJson(value)) throw new ReceiptError('form', 'the file has values that parsers read differently');
  const isGrant = isObject(value) && value.type === 'trade-agent.grant-receipt';
  const parsed = (isGrant ? grantReceiptSchema : receiptSchema).safeParse(value);
  if (!parsed.success) {
    const { path = [] } = parsed.error.issues[0] ?? {};
    throw new ReceiptError('form', `the file is not a receipt (invalid ${path.join('.') || 'members'})`);
  }
  // Schemas drop unknown members and normalize texts, but a receipt must be valid without any change.
  if (!hasSameCanonicalForm(parsed.data, value)) {
    throw new ReceiptError('form', 'the file is not a receipt (unknown or unusual members)');
  }
  if ('proposal' in parsed.data && !hasOrderDrafts(parsed.data.proposal))
    throw new ReceiptError('form', 'the file is not a receipt (invalid subject)');
  // A receipt has exactly one valid text, so no byte of it can be changed unnoticed.
  if (receiptText(parsed.data) !== text) {
    throw new ReceiptError('form', 'the file is not in canonical form (RFC 8785)');
  }
  return value as Receipt | GrantReceipt;
}

/** Returns whether the subject has one or more orders, each complete and in canonical form. */
function hasOrderDrafts({ kind, subject }: Receipt['proposal']): boolean {
  const drafts: unknown = kind === 'batch' ? subject.orders : getApprovedDrafts({ kind, subject });
  return (
    Array.isArray(drafts) &&
    drafts.length > 0 &&
    drafts.every((draft) => isObject(draft) && hasSameCanonicalForm(orderDraftSchema.safeParse(draft).data, draft))
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
    await requireMandateApproval(receipt, mandate);
  }
  const drafts = getApprovedDrafts(proposal);
  requireWorstCase(proposal, drafts);
  requireApprovedOrders(drafts, receipt.orders);
  requireMatchingStates(receipt);
  requireDecision(receipt);
  requireWithinWorstCase(receipt, requireMatchingRecord(receipt, drafts, signer));
}

/**
 * Requires that the owner signed the mandate, and that the mandate covers the order. A mandate covers single orders:
 * batches and replacements always need their own approval.
 */
async function requireMandateApproval(
  { gateway, proposal, approvals }: UnsignedReceipt,
  mandate: NonNullable<Receipt['mandate']>,
): Promise<void> {
  requireDigest(proposal);
  await requireApproved(gateway, mandate.proposal, mandate.approvals);
  const terms = mandateTerms(mandate);
  if (proposal.kind !== 'order') throw mandateMismatchError('more than a single order');
  if (proposal.nonce !== null) throw mandateMismatchError('a nonce that no key signed');
  if (approvals.length > 0) throw mandateMismatchError('the order has its own approval');
  if (mandate.proposal.sub !== proposal.sub) throw mandateMismatchError('different owner');
  for (const draft of getApprovedDrafts(proposal)) requireMandateMatch(terms, draft, proposal);
  if (proposal.policy !== terms.policy) throw mandateMismatchError('different rules');
}

/** Requires that the approval names the rules, and that these rules allowed the order. */
function requireDecision({ decision, proposal: { policy } }: UnsignedReceipt): void {
  if (policy === undefined) throw new ReceiptError('decision', 'the approval does not name the rules');
  if (decision === null) return;
  if (decision.policy !== policy) throw new ReceiptError('decision', 'the order was allowed under different rules');
  if (decision.effect === 'allow' && decision.reasons.length === 0) return;
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
    await requirePhoneSignature(expectedStatement(gateway, proposal, approval.sub), approval);
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
