import type { AuditStore, SequencedTree } from '../../store/audit.ts';
import type { DecisionStore } from '../../store/decision-store.ts';
import { inclusionRanges, rangeHasher, subtreesOf, tilesOfNodes } from '../../store/merkle-tree.ts';
import type { OrderJournal } from '../../store/order-journal.ts';
import type { ProposalStore, StoredProposal } from '../../store/proposal-store.ts';
import type { SigningKeyStore } from '../../store/signing-key-store.ts';
import type { GrantTerms } from '../../trading/grant-terms.ts';
import type { ApprovedProposal, Receipt, SignedApproval, UnsignedReceipt } from '../../trading/receipt.ts';
import { defined } from '../../values/defined.ts';
import { findApprovingMandate } from '../access.ts';
import { evidenceSchema } from '../signature/statement.ts';
import { readClientData } from '../signature/verify-evidence.ts';
import { requireValidGrant } from './grant-receipt.ts';
import { ReceiptError, receiptPayload, receiptText } from './receipt-form.ts';
import type { ReceiptKey } from './receipt-key.ts';
import { getApprovedDrafts, requireValidReceipt } from './verify-receipt.ts';

export interface ReceiptSources {
  /** The gateway's resource identifier. */
  readonly gateway: string;
  readonly proposals: Pick<ProposalStore, 'bySubject'>;
  readonly keys: Pick<SigningKeyStore, 'evidence' | 'byId'>;
  readonly orders: Pick<OrderJournal, 'find'>;
  readonly decisions: Pick<DecisionStore, 'about'>;
  readonly audit: Pick<AuditStore, 'about' | 'tiles'>;
  /** Adds all committed lines of the audit log to its tree. */
  readonly sequence: () => Promise<SequencedTree>;
  /** The site on which approvals are signed; undefined if approvals are not signed. */
  readonly site: { readonly origin: string; readonly rpId: string } | undefined;
  readonly key: ReceiptKey;
  readonly now: () => number;
}

/**
 * Makes the receipt of a proposal.
 * @returns the file's text; undefined if no order was sent
 * @throws {ReceiptError} if the stored facts do not prove what a receipt must prove, for example after a row was
 *   changed
 */
export async function makeReceipt(sources: ReceiptSources, proposal: StoredProposal): Promise<string | undefined> {
  const sent = await sentOrders(sources, proposal);
  if (sent.length === 0) return undefined;
  const approvals = await signedApprovals(sources, proposal);
  const mandate = await receiptMandate(sources, proposal);
  const [decided] = (await sources.decisions.about(proposal.sub, proposal.subjectId)).filter(
    ({ stage, effect }) => stage === 'order' && effect === 'allow',
  );
  const credentials = [...approvals, ...(mandate?.approvals ?? [])].map(({ key }) => key.credential_id);
  const ids = [proposal.id, ...(mandate === null ? [] : [mandate.proposal.id])];
  const proven = await provenLines(sources, ids, credentials);
  const lines = proven.record.map(({ line }) => JSON.parse(line) as Record<string, unknown>);
  const asEnrolled = (all: SignedApproval[]) => all.map((approval) => enrolledApproval(approval, lines));
  // Reads the orders again after the lines: an order may be ahead of its proposal's lines, but never behind.
  const orders = await sentOrders(sources, proposal);
  const last = lines.findLast((line) => line.proposal === proposal.id);
  const unsigned: UnsignedReceipt = {
    type: 'trade-agent.receipt',
    v: 1,
    gateway: sources.gateway,
    issued_at: isoTime(sources.now()),
    state: (last?.state ?? proposal.state) as Receipt['state'],
    // Under a mandate, no key signs the order's nonce.
    proposal: { ...toApprovedProposal(proposal), ...(mandate === null ? {} : { nonce: null }) },
    approvals: asEnrolled(approvals),
    mandate: mandate && { ...mandate, approvals: asEnrolled(mandate.approvals) },
    decision:
      decided === undefined
        ? null
        : {
            at: isoTime(decided.at),
            effect: decided.effect,
            policy: decided.policy,
            reasons: [...decided.reasons],
          },
    orders,
    ...proven,
  };
  // Verifies the receipt as it will be read, because JSON drops undefined members.
  const plain = JSON.parse(JSON.stringify(unsigned)) as UnsignedReceipt;
  await requireValidReceipt(plain, sources.key.jwk).catch((error: unknown) => {
    // Verifying the receipt later reports these two faults: approvals that only the gateway vouches for, and a broker
    // that exceeded the approval.
    if (!(error instanceof ReceiptError) || !['not_signed', 'exceeded'].includes(error.fault)) throw error;
  });
  const signature = sources.key.sign(receiptPayload(plain));
  return receiptText({ ...plain, signature });
}

/**
 * Makes the receipt of a grant that a person signed.
 * @returns the file's text; undefined if the person did not sign this grant at this gateway
 * @throws {ReceiptError} if the stored facts do not prove what a receipt must prove
 */
export async function makeGrantReceipt(sources: ReceiptSources, sub: string, id: string): Promise<string | undefined> {
  const [approval] = await signedApprovals(sources, { id, sub, second: undefined });
  if (approval === undefined) return undefined;
  const { statement, credential_id } = approval.evidence;
  const { record: all, checkpoint } = await provenLines(sources, [id], [credential_id]);
  const parsed = (line: string) => JSON.parse(line) as Record<string, unknown>;
  // The person may have signed other terms for the same request before.
  const isAbout = ({ event, digest, credential_id: key }: Record<string, unknown>) =>
    key === credential_id && (event === 'key_enrolled' || digest === statement.digest);
  const record = all.filter(({ line }) => isAbout(parsed(line)));
  const lines = record.map(({ line }) => parsed(line));
  const signed = lines.find(({ event }) => event === 'signed');
  if (signed?.grant === undefined) return undefined;
  const unsigned = {
    type: 'trade-agent.grant-receipt' as const,
    v: 1 as const,
    gateway: sources.gateway,
    issued_at: isoTime(sources.now()),
    grant: { id, digest: String(signed.digest), terms: signed.grant as GrantTerms },
    approval: enrolledApproval(approval, lines),
    record,
    checkpoint,
  };
  await requireValidGrant(unsigned, sources.key.jwk);
  return receiptText({ ...unsigned, signature: sources.key.sign(receiptPayload(unsigned)) });
}

/**
 * Returns, with proofs, the lines about the proposals and about the enrollment of the keys that signed. The cost grows
 * only logarithmically with the audit log, because an index finds the lines and few tiles are read.
 */
async function provenLines(
  { audit, sequence }: ReceiptSources,
  ids: readonly string[],
  credentials: readonly string[],
): Promise<Pick<Receipt, 'record' | 'checkpoint'>> {
  const { size, checkpoint = '' } = await sequence();
  const lines: { readonly leaf: number; readonly line: string }[] = [];
  for (const { leaf, line } of await audit.about([...ids, ...credentials])) {
    const { event, proposal, approval } = JSON.parse(line) as Record<string, unknown>;
    // A standing order's own lines name the proposal, but don't have its digest.
    const isOfStandingOrder = String(event).startsWith('standing_');
    const isAbout = !isOfStandingOrder && ids.some((id) => proposal === id || approval === id);
    // Skips lines that another process has sequenced since, because they are not in this tree.
    if ((isAbout || event === 'key_enrolled') && leaf !== undefined && leaf < size) lines.push({ leaf, line });
  }
  const ranges = lines.map(({ leaf }) => inclusionRanges(leaf, size));
  const nodes = ranges.flat().flatMap(([start, end]) => subtreesOf(start, end));
  const hashOf = rangeHasher(await audit.tiles(tilesOfNodes(nodes)));
  const record = lines.map((one, at) => ({
    ...one,
    proof: (ranges[at] ?? []).map((range) => hashOf(range).toString('base64')),
  }));
  return { record, checkpoint };
}

function toApprovedProposal(proposal: StoredProposal): ApprovedProposal {
  const { id, kind, sub, client, proposedBy, codeEntry, policy, requestedBy, code, nonce, digest } = proposal;
  return {
    id,
    kind,
    sub,
    client,
    ...defined({ proposed_by: proposedBy, code_entry: codeEntry, policy }),
    requested_by: requestedBy,
    code,
    nonce: nonce ?? null,
    digest,
    subject: proposal.subject as ApprovedProposal['subject'],
    worst_case: proposal.worstCase,
    provenance: proposal.provenance,
    created_at: isoTime(proposal.createdAt),
  };
}

async function signedApprovals(
  { keys, site }: ReceiptSources,
  { id, sub, second }: Pick<StoredProposal, 'id' | 'sub' | 'second'>,
) {
  const approvals: SignedApproval[] = [];
  for (const who of second === undefined ? [sub] : [sub, second]) {
    const kept = await keys.evidence({ sub: who, approval: id });
    if (kept === undefined || site === undefined) continue;
    const evidence = evidenceSchema.parse(kept) as SignedApproval['evidence'];
    const key = await keys.byId(evidence.credential_id);
    if (key === undefined) continue;
    approvals.push({
      sub: who,
      evidence,
      ...signingSite(evidence, site),
      key: {
        credential_id: key.credentialId,
        public_key: Buffer.from(key.publicKey).toString('base64url'),
        algorithm: key.algorithm,
        method: key.method,
        device_type: key.deviceType,
        name: key.name,
        enrolled_at: isoTime(key.enrolledAt),
      },
    });
  }
  return approvals;
}

/** Returns the site on which a passkey signed. Uses the client data, because the home may have moved since then. */
function signingSite(
  { method, client_data_json: clientData }: SignedApproval['evidence'],
  { origin, rpId }: NonNullable<ReceiptSources['site']>,
) {
  const signed = method === 'webauthn' ? originOf(clientData) : undefined;
  return typeof signed === 'string' && URL.canParse(signed)
    ? { origin: signed, rp_id: new URL(signed).hostname }
    : { origin, rp_id: rpId };
}

/** Returns the origin in the client data; undefined if the data is damaged. Verification reports the damage. */
function originOf(clientData: string): unknown {
  try {
    return readClientData(clientData).origin;
  } catch {
    return undefined;
  }
}

/** Returns an approval with the name that its key had at enrollment. The audit log does not contain later names. */
function enrolledApproval(
  approval: SignedApproval,
  lines: readonly Readonly<Record<string, unknown>>[],
): SignedApproval {
  const { key } = approval;
  const line = lines.find(({ event, credential_id: id }) => event === 'key_enrolled' && id === key.credential_id);
  if (line === undefined) return approval;
  return { ...approval, key: { ...key, name: String(line.name), enrolled_at: String(line.at) } };
}

async function receiptMandate(sources: ReceiptSources, proposal: StoredProposal): Promise<Receipt['mandate']> {
  const id = findApprovingMandate(proposal);
  const granted = id === undefined ? undefined : await sources.proposals.bySubject(proposal.sub, id);
  if (id === undefined || granted === undefined) return null;
  return { id, proposal: toApprovedProposal(granted), approvals: await signedApprovals(sources, granted) };
}

async function sentOrders({ orders }: ReceiptSources, proposal: StoredProposal): Promise<Receipt['orders']> {
  const sent: Receipt['orders'] = [];
  for (const { client_order_id } of getApprovedDrafts(proposal)) {
    const entry = await orders.find(proposal.sub, client_order_id);
    if (entry === undefined) continue;
    sent.push({
      client_order_id,
      order: entry.draft,
      state: entry.state,
      submissions: entry.submissions,
      submitted_at: entry.submittedAt === null ? null : isoTime(entry.submittedAt),
      answered: entry.order ?? null,
      problem: entry.problem === undefined ? null : { ...entry.problem },
    });
  }
  return sent;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
