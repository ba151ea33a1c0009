import { createHash } from 'node:crypto';
import { rootFromInclusion } from '../../store/merkle-tree.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { MAX_TTL_S } from '../../trading/proposal.ts';
import type { ApprovedProposal, GrantReceipt, SignedApproval, UnsignedReceipt } from '../../trading/receipt.ts';
import { isObject } from '../../values/is-object.ts';
import { parseJson } from '../../values/parse-json.ts';
import { checkpointSigner, logOrigin, parseCheckpoint } from './checkpoint.ts';
import { hasSameCanonicalForm, isPlainJson, ReceiptError } from './receipt-form.ts';
import type { ReceiptJwk } from './receipt-key.ts';

/** How far the clocks of several gateways that share a database may be apart. */
const CLOCK_TOLERANCE_MS = 60_000;

type Line = Readonly<Record<string, unknown>> & { readonly event: string; readonly at: string };

/** The states that a line about a proposal may have. A proposal has lines with no other events. */
const statesByEvent: Readonly<Record<string, readonly string[]>> = {
  proposed: ['drafted'],
  requested: ['requested'],
  asked_again: ['drafted', 'requested'],
  owner_approved: ['requested'],
  second_requested: ['requested'],
  approved: ['approved'],
  approved_by_mandate: ['approved'],
  not_taken: ['approved'],
  ...Object.fromEntries(
    ['executing', 'executed', 'denied', 'expired', 'cancelled', 'blocked', 'unknown'].map((state) => [state, [state]]),
  ),
};

const wrong = (what: string) => new ReceiptError('record', what);

/**
 * Requires that the lines are in the audit log that the checkpoint signs, in order, and tell the same as the receipt:
 * whose key signed, when, and the outcome of the orders.
 * @throws {ReceiptError} `record`, `time`
 */
export function requireRecord(receipt: UnsignedReceipt, drafts: readonly OrderDraft[], signer: ReceiptJwk): void {
  const { proposal, approvals, mandate } = receipt;
  const all = requireProvenLines(receipt, signer);
  const keys = [...approvals, ...(mandate?.approvals ?? [])];
  const own = all.filter((line) => isAbout(line, proposal));
  const granted = mandate === null ? [] : all.filter((line) => isAbout(line, mandate.proposal));
  const enrolled = all.filter((line) => line.event === 'key_enrolled' && keys.some((one) => isKeyOf(line, one)));
  if (own.length + granted.length + enrolled.length !== all.length) {
    throw wrong('a line of the audit log is about something else');
  }
  requireHistory(proposal, approvals, own);
  if (mandate !== null) {
    requireHistory(mandate.proposal, mandate.approvals, granted);
    requireOrder([granted.find(isEvent('executed')), own.find(isEvent('executing'))], all);
  }
  if (own.some((line) => line.event !== 'signed' && line.mandate !== mandate?.id)) {
    throw wrong('the audit log names another mandate');
  }
  for (const approval of keys) requireEnrolled(approval, enrolled, all);
  requireSameOutcome(receipt, own);
  requireTimes(receipt, drafts, { all, own });
}

/**
 * Requires that the audit log shows the enrollment of the key, then its signature of exactly this grant, and nothing
 * else.
 * @throws {ReceiptError} `record`, `time`
 */
export function requireGrantRecord(receipt: Omit<GrantReceipt, 'signature'>, signer: ReceiptJwk): void {
  const { grant, approval, issued_at } = receipt;
  const all = requireProvenLines(receipt, signer);
  const [enrolled, signed, more] = all;
  if (enrolled?.event !== 'key_enrolled' || signed?.event !== 'signed' || more !== undefined) {
    throw wrong('the audit log does not show the key and its signature');
  }
  requireEnrolled(approval, [enrolled], all);
  const isSame = signed.approval === grant.id && signed.digest === grant.digest;
  if (!isSame || !isSignedBy(signed, approval) || !hasSameCanonicalForm(signed.grant, grant.terms)) {
    throw wrong('the audit log tells of another grant');
  }
  const { ends_at } = grant.terms;
  if (!isBefore(signed.at, issued_at)) throw late('the receipt was issued');
  if (ends_at !== null && !isBefore(signed.at, ends_at)) throw late('the grant was signed');
}

const isAbout = (line: Line, { id }: ApprovedProposal): boolean => line.proposal === id || line.approval === id;
const isKeyOf = (line: Line, { key }: SignedApproval): boolean => line.credential_id === key.credential_id;
const isEvent = (event: string) => (line: Line) => line.event === event;

/** Requires that all of these lines exist and are in this order. */
function requireOrder(steps: readonly (Line | undefined)[], all: readonly Line[]): void {
  const places = steps.map((line) => (line === undefined ? -1 : all.indexOf(line)));
  if (places.every((place, at) => place > (places[at - 1] ?? -1))) return;
  throw wrong('the audit log does not show that the order was approved before it was sent');
}

/** Requires that the lines about a proposal tell of exactly this proposal and of these signatures. */
function requireHistory(
  proposal: ApprovedProposal,
  approvals: readonly SignedApproval[],
  lines: readonly Line[],
): void {
  for (const line of lines) requireSameFacts(proposal, approvals, line);
  const [proposed] = lines;
  requireOrder([lines.find(isEvent('proposed')), lines.find(isEvent('executing'))], lines);
  if (proposed?.event !== 'proposed' || lines.filter(isEvent('proposed')).length !== 1) {
    throw wrong('the audit log does not begin with the proposal');
  }
  if (proposed.at !== proposal.created_at) throw new ReceiptError('time', 'the proposal was made at another time');
  if (approvals.length > 0 && proposed.second !== approvals[1]?.sub) {
    throw wrong('the audit log names another second approver');
  }
  for (const approval of approvals) {
    const signed = lines.find((line) => line.event === 'signed' && isSignedBy(line, approval));
    if (signed === undefined) throw wrong('the audit log does not show that this key signed the approval');
    requireOrder([proposed, signed, lines.find(isEvent('executing'))], lines);
  }
}

function requireSameFacts(proposal: ApprovedProposal, approvals: readonly SignedApproval[], line: Line): void {
  if (line.digest !== proposal.digest) throw wrong('a line of the audit log is about something else');
  if (line.event === 'signed') {
    if (approvals.some((one) => one.sub === line.sub)) return;
    throw wrong('the audit log tells of another signature');
  }
  const { sub, client, proposed_by, code_entry, kind, code, subject, worst_case, requested_by, provenance } = proposal;
  const facts = { sub, client, kind, code, subject, worst_case, requested_by, provenance };
  const isSame = Object.entries(facts).every(([name, value]) => hasSameCanonicalForm(line[name], value));
  if (!isSame || line.proposed_by !== proposed_by || line.code_entry !== code_entry)
    throw wrong('the audit log tells of another proposal');
  if (statesByEvent[line.event]?.includes(String(line.state)) === true) return;
  throw wrong('a line of the audit log has another state than its event');
}

/** The flag of an authenticator that says whether its key is backed up, in byte 32 (WebAuthn §6.1). */
const BACKED_UP = 0x10;

function isSignedBy(line: Line, approval: SignedApproval): boolean {
  const { sub, key, evidence } = approval;
  const flags = Buffer.from(evidence.authenticator_data, 'base64url')[32] ?? 0;
  return (
    isKeyOf(line, approval) &&
    line.sub === sub &&
    line.method === key.method &&
    line.device_type === key.device_type &&
    line.backed_up === ((flags & BACKED_UP) !== 0)
  );
}

/** Requires the line that tells of a key's enrollment, before it signed. */
function requireEnrolled(approval: SignedApproval, enrolled: readonly Line[], all: readonly Line[]): void {
  const { sub, key } = approval;
  const fingerprint = createHash('sha256').update(Buffer.from(key.public_key, 'base64url')).digest('base64url');
  const { method, device_type, name } = key;
  const [line, another] = enrolled.filter((one) => isKeyOf(one, approval));
  const isSame = hasSameCanonicalForm(
    { sub, method, device_type, name, fingerprint, at: key.enrolled_at },
    { ...pick(line, ['sub', 'method', 'device_type', 'name', 'fingerprint', 'at']) },
  );
  if (!isSame || another !== undefined) throw wrong('the audit log does not show that this key was enrolled');
  requireOrder([line, all.find((one) => one.event === 'signed' && isKeyOf(one, approval))], all);
}

function pick(line: Line | undefined, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, line?.[name] ?? null]));
}

/** Requires that the last state, the broker's answers and the number of submissions are those of the audit log. */
function requireSameOutcome({ state, proposal, orders }: UnsignedReceipt, own: readonly Line[]): void {
  const last = own.findLast(({ event }) => event !== 'signed');
  if (last?.state !== state) throw wrong('the audit log shows another state of the proposal');
  const results = own.filter(isEvent('executed')).flatMap((line) => resultsOf(line, proposal.kind));
  const listed = orders.map((one) => one.client_order_id);
  const told = results.flatMap((one) => (isObject(one) ? [String(one.client_order_id)] : []));
  if (!told.every((id) => listed.includes(id))) throw wrong('the audit log tells of an order that is not listed');
  const attempts = own.filter(isEvent('executing')).length;
  for (const { client_order_id: id, answered, problem, submitted_at, submissions } of orders) {
    if (submissions > attempts) throw wrong(`the audit log does not show that order ${id} was sent so often`);
    if (state === 'executed' && answered !== null && !results.some((one) => hasSameCanonicalForm(one, answered))) {
      throw wrong(`the audit log shows another response of the broker about order ${id}`);
    }
    if (state !== 'blocked' || proposal.kind === 'batch' || problem === null || submitted_at === null) continue;
    const reason = last.reason as Readonly<Record<string, unknown>> | undefined;
    if (reason?.code !== problem.code || reason?.text !== problem.detail) {
      throw wrong(`the audit log shows another reason why order ${id} was rejected`);
    }
  }
}

/** Returns the orders in the result of a proposal: one, or one for each order of a batch that was placed. */
function resultsOf({ result }: Line, kind: string): unknown[] {
  if (kind !== 'batch') return [result];
  const { lines } = (result ?? {}) as { readonly lines?: unknown };
  return Array.isArray(lines) ? lines.map((line: { readonly order?: unknown } | null) => line?.order) : [];
}

const late = (what: string) => new ReceiptError('time', `${what} at a time that can’t be true`);

function isBefore(one: string, other: string): boolean {
  return Date.parse(one) <= Date.parse(other) + CLOCK_TOLERANCE_MS;
}

/** Requires that approving, deciding, sending and issuing happened in this order, and before the approval ended. */
function requireTimes(
  { issued_at, proposal, decision, orders }: UnsignedReceipt,
  drafts: readonly OrderDraft[],
  { all, own }: { readonly all: readonly Line[]; readonly own: readonly Line[] },
): void {
  const { created_at } = proposal;
  const began = own.find(isEvent('executing'))?.at ?? '';
  const ended = own.find(isEvent('executed'))?.at ?? issued_at;
  if (!drafts.every(({ expires_at }) => isWithinLifetime(created_at, began, expires_at))) {
    throw late('the order was proposed or sent');
  }
  if (!all.every(({ at }) => isBefore(at, issued_at))) throw late('the receipt was issued');
  if (!own.every(({ at }) => isBefore(created_at, at))) throw late('a line was written');
  const isMeanwhile = (at: string) => isBefore(began, at) && isBefore(at, ended) && isBefore(at, issued_at);
  if (decision !== null && !isMeanwhile(decision.at)) throw late('the rules decided');
  if (!orders.every(({ submitted_at: at }) => at === null || isMeanwhile(at))) throw late('an order was sent');
}

function isWithinLifetime(created_at: string, began: string, expires_at: string): boolean {
  const [created, ends] = [Date.parse(created_at), Date.parse(expires_at)];
  return created < ends && ends <= created + MAX_TTL_S * 1000 + CLOCK_TOLERANCE_MS && isBefore(began, expires_at);
}

/** Requires that the gateway's key signed the checkpoint, and that each line is in its tree. Returns the lines. */
function requireProvenLines(
  { gateway, record, checkpoint: note }: Pick<UnsignedReceipt, 'gateway' | 'record' | 'checkpoint'>,
  signer: ReceiptJwk,
): Line[] {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint?.origin !== logOrigin(gateway)) throw wrong('the checkpoint is from another audit log');
  if (checkpointSigner(checkpoint, [signer]) === undefined) {
    throw wrong('the receipt’s key did not sign the checkpoint');
  }
  let last = -1;
  return record.map(({ leaf, line, proof }) => {
    if (leaf <= last) throw wrong('the lines of the audit log are out of order');
    last = leaf;
    const hashes = proof.map((text) => Buffer.from(text, 'base64'));
    const root = rootFromInclusion(leaf, checkpoint.size, { line, proof: hashes });
    if (root?.equals(checkpoint.root) !== true) {
      throw wrong('a line of the audit log was changed, or is not in the checkpoint');
    }
    return parseAuditLine(line);
  });
}

/** Parses a line: the one text that `JSON.stringify` writes of an object, without white space. */
function parseAuditLine(text: string): Line {
  const line = parseJson(text);
  if (!isObject(line) || !isPlainJson(line) || JSON.stringify(line) !== text) {
    throw wrong('a line of the audit log is unreadable');
  }
  const { event, at } = line as Partial<Line>;
  const time = typeof at === 'string' ? new Date(at) : undefined;
  if (typeof event !== 'string' || time === undefined || Number.isNaN(time.getTime()) || time.toISOString() !== at) {
    throw wrong('a line of the audit log is unreadable');
  }
  return line as Line;
}
