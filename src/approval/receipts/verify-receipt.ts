import { rootFromInclusion } from '../../store/merkle-tree.ts';
import type { SigningKey } from '../../store/signing-key-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { mandateEnvelopeSchema } from '../../trading/mandate/envelope.ts';
import type { OrderDraft } from '../../trading/order.ts';
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
import { checkpointSigner, logOrigin, parseCheckpoint } from './checkpoint.ts';
import { hasSameCanonicalForm, ReceiptError, receiptPayload, receiptText } from './receipt-form.ts';
import { type ReceiptJwk, verifyDetachedSignature } from './receipt-key.ts';

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
  const parsed = receiptSchema.safeParse(value);
  if (!parsed.success) {
    const { path = [] } = parsed.error.issues[0] ?? {};
    throw new ReceiptError('form', `the file is not a receipt (invalid ${path.join('.') || 'members'})`);
  }
  // A receipt has exactly one valid text, so no byte of it can be changed unnoticed.
  if (receiptText(value as Receipt) !== text) {
    throw new ReceiptError('form', 'the file is not in canonical form (RFC 8785)');
  }
  return value as Receipt;
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
  requireOrders(receipt);
  requireDecision(receipt);
  requireRecord(receipt, signer);
}

/** Requires that the owner signed the mandate, and that the mandate covers the order. */
async function requireMandated(
  { gateway, proposal, approvals }: UnsignedReceipt,
  mandate: NonNullable<Receipt['mandate']>,
): Promise<void> {
  const [draft] = approvedDrafts(proposal);
  await requireApproved(gateway, mandate.proposal, mandate.approvals);
  const wrong = (what: string) => new ReceiptError('mandate', `the mandate does not match this order: ${what}`);
  const terms = mandateEnvelopeSchema.unwrap().partial().loose().safeParse(mandate.proposal.subject).data;
  if (mandate.proposal.kind !== 'mandate' || terms?.mandate_id !== mandate.id) throw wrong('different id');
  if (approvals.length > 0 || draft?.mandate !== mandate.id) throw wrong('different id');
  if (mandate.proposal.sub !== proposal.sub) throw wrong('different owner');
  if (terms.account !== draft.account || terms.environment !== draft.environment) throw wrong('different account');
  if (!terms.symbols?.includes(draft.symbol)) throw wrong('symbol not included');
  if (!terms.sides?.includes(draft.side)) throw wrong('side not included');
  const at = Date.parse(proposal.created_at);
  if (at < Date.parse(terms.not_before ?? '') || at >= Date.parse(terms.expires_at ?? '')) {
    throw wrong('proposed outside its period');
  }
}

/** Requires that every order that was sent was approved, and that the broker's response is about that order. */
function requireOrders({ proposal, orders }: UnsignedReceipt): void {
  const approved = approvedDrafts(proposal);
  const seen = new Set<string>();
  for (const { client_order_id: id, order, state, answered, problem } of orders) {
    const wrong = (what: string) => new ReceiptError('order', `order ${id} ${what}`);
    const draft = approved.find(({ client_order_id }) => client_order_id === id);
    if (draft === undefined) throw wrong('was not approved');
    if (!hasSameCanonicalForm(draft, order)) throw wrong('differs from what was approved');
    if (seen.has(id)) throw wrong('is listed twice');
    seen.add(id);
    if ((state === 'placed') !== (answered !== null) || (state === 'rejected') !== (problem !== null)) {
      throw wrong('has a broker response that contradicts its state');
    }
    if (answered === null) continue;
    if (answered.client_order_id !== id || answered.symbol !== draft.symbol || answered.side !== draft.side) {
      throw wrong('has a broker response about a different order');
    }
  }
}

function requireDecision({ decision }: UnsignedReceipt): void {
  if (decision === null || decision.effect === 'allow') return;
  throw new ReceiptError('decision', 'the rules did not allow the order');
}

/**
 * Requires that the lines are in the audit log that the checkpoint signs, in order and about this proposal, and show
 * that the proposal was approved before its orders were sent.
 */
function requireRecord(receipt: UnsignedReceipt, signer: ReceiptJwk): void {
  const { proposal, approvals, mandate } = receipt;
  const yes = approvals.length > 0 ? approvals : (mandate?.approvals ?? []);
  const credentials = yes.map(({ key }) => key.credential_id);
  const relevant = requireProvenLines(receipt, signer).map((line) => {
    const isOfKey = line.event === 'key_enrolled' && credentials.includes(String(line.credential_id));
    const isTokenFor = ({ id }: { id: string }) => line.proposal === id || line.approval === id;
    if (isOfKey || (mandate !== null && isTokenFor(mandate.proposal))) return { ...line, event: '' };
    if (!isTokenFor(proposal) || line.digest !== proposal.digest) {
      throw new ReceiptError('record', 'a line of the audit log is about something else');
    }
    return line;
  });
  const at = (event: string) => relevant.findIndex((line) => line.event === event);
  const steps = ['proposed', ...(approvals.length > 0 ? ['signed'] : []), 'executing'].map(at);
  if (steps.some((step, n) => step < 0 || step < (steps[n - 1] ?? 0))) {
    throw new ReceiptError('record', 'the audit log does not show that the order was approved before it was sent');
  }
  const signed = relevant.filter(({ event }) => event === 'signed').map((line) => line.credential_id);
  if (approvals.some(({ key }) => !signed.includes(key.credential_id))) {
    throw new ReceiptError('record', 'the audit log does not show that this key signed the approval');
  }
}

type Line = Readonly<Record<string, unknown>> & { readonly event: string };

/** Requires that the gateway's key signed the checkpoint, and that each line is in its tree. Returns the lines. */
function requireProvenLines({ gateway, record, checkpoint: note }: UnsignedReceipt, signer: ReceiptJwk): Line[] {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint?.origin !== logOrigin(gateway)) {
    throw new ReceiptError('record', 'the checkpoint is from another audit log');
  }
  if (checkpointSigner(checkpoint, [signer]) === undefined) {
    throw new ReceiptError('record', 'the receipt’s key did not sign the checkpoint');
  }
  let last = -1;
  return record.map(({ leaf, line, proof }) => {
    if (leaf <= last) throw new ReceiptError('record', 'the lines of the audit log are out of order');
    last = leaf;
    const hashes = proof.map((text) => Buffer.from(text, 'base64'));
    const root = rootFromInclusion(leaf, checkpoint.size, { line, proof: hashes });
    if (root?.equals(checkpoint.root) !== true) {
      throw new ReceiptError('record', 'a line of the audit log was changed, or is not in the checkpoint');
    }
    return parseAuditLine(line);
  });
}

function parseAuditLine(text: string): Line {
  const unreadable = new ReceiptError('record', 'a line of the audit log is unreadable');
  let line: Line;
  try {
    line = JSON.parse(text);
  } catch {
    throw unreadable;
  }
  // Compared byte for byte, because parsers differ in how they read duplicate members.
  if (line === null || JSON.stringify(line) !== text) throw unreadable;
  return line;
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
  if (proposalDigest(proposal) !== proposal.digest) {
    throw new ReceiptError('proposal', 'the digest does not match the proposal');
  }
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
