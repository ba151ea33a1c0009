import { createHash } from 'node:crypto';
import { formatUtcSeconds } from '../../machine/clock.ts';
import { rootFromInclusion } from '../../store/merkle-tree.ts';
import { batch } from '../../trading/kinds/batch.ts';
import type { MandateEnvelope } from '../../trading/mandate/envelope.ts';
import { mandateResultSchema } from '../../trading/mandate/granted.ts';
import { isRecurring } from '../../trading/mandate/standing-order.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { MAX_TTL_S } from '../../trading/proposal.ts';
import type { ApprovedProposal, GrantReceipt, SignedApproval, UnsignedReceipt } from '../../trading/receipt.ts';
import { type Order, orderSchema } from '../../trading/views.ts';
import { isObject } from '../../values/is-object.ts';
import { parseJson } from '../../values/parse-json.ts';
import { findCheckpointSigner, logOrigin, parseCheckpoint } from './checkpoint.ts';
import { hasSameCanonicalForm, isPlainJson, ReceiptError } from './receipt-form.ts';
import type { ReceiptJwk } from './receipt-key.ts';
import { mandateTerms } from './receipt-orders.ts';

/** Maximum difference between the clocks of gateways that share a database, in milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000;

type Line = Readonly<Record<string, unknown>> & { readonly event: string; readonly at: string };

interface Step {
  /** The states that the previous line may have. */
  readonly from: readonly unknown[];
  readonly to: readonly unknown[];
}
const OPEN = ['drafted', 'requested', 'approved'];

/** The steps that a proposal's lines may record, by event. A line with any other event is an error. */
const steps: Readonly<Record<string, Step>> = {
  proposed: { from: [undefined], to: ['drafted'] },
  requested: { from: ['drafted'], to: ['requested'] },
  asked_again: { from: ['requested'], to: ['drafted', 'requested'] },
  owner_approved: { from: ['requested'], to: ['requested'] },
  second_requested: { from: ['requested'], to: ['requested'] },
  approved: { from: ['requested'], to: ['approved'] },
  approved_by_mandate: { from: ['drafted'], to: ['approved'] },
  executing: { from: ['approved', 'executing', 'unknown'], to: ['executing'] },
  not_taken: { from: ['executing'], to: ['approved'] },
  unknown: { from: ['executing'], to: ['unknown'] },
  // The broker's later reports, such as a fill, follow the first.
  executed: { from: ['executing', 'unknown', 'expired', 'executed'], to: ['executed'] },
  blocked: { from: [...OPEN, 'executing', 'unknown'], to: ['blocked'] },
  expired: { from: [...OPEN, 'executing', 'unknown'], to: ['expired'] },
  cancelled: { from: OPEN, to: ['cancelled'] },
};

/** Events that begin an approval request at the identity provider, or end one without a decision. */
const REQUEST_EVENTS = ['requested', 'second_requested', 'asked_again'];
const ENROLLED_BY: readonly unknown[] = ['pairing', 'key', 'machine'];

const wrong = (what: string) => new ReceiptError('record', what);

/**
 * Requires that the lines are in the audit log that the checkpoint signs, in order, and agree with the receipt about
 * whose key signed, when it signed, and the outcome of the orders.
 * @returns the broker's reports about the orders, from the lines
 * @throws {ReceiptError} `record`, `time`
 */
export function requireMatchingRecord(
  receipt: UnsignedReceipt,
  drafts: readonly OrderDraft[],
  signer: ReceiptJwk,
): Order[] {
  const { proposal, approvals, mandate } = receipt;
  const all = requireProvenLines(receipt, signer);
  const keys = [...approvals, ...(mandate?.approvals ?? [])];
  const own = all.filter((line) => isAbout(line, proposal));
  const granted = mandate === null ? [] : all.filter((line) => isAbout(line, mandate.proposal));
  const enrolled = all.filter((line) => line.event === 'key_enrolled' && keys.some((one) => isKeyOf(line, one)));
  if (own.length + granted.length + enrolled.length !== all.length) {
    throw wrong('a line of the audit log is not about this receipt');
  }
  requireHistory(proposal, approvals, own);
  if (mandate !== null) {
    requireHistory(mandate.proposal, mandate.approvals, granted);
    requireOrder([granted.find(isEvent('executed')), own.find(isEvent('executing'))], all);
    requireMandateGranted(mandateTerms(mandate), granted);
  }
  if (own.some((line) => line.event !== 'signed' && line.mandate !== mandate?.id)) {
    throw wrong('the audit log names a different mandate');
  }
  for (const approval of keys) requireEnrolled(approval, enrolled, all);
  const reports = requireSameOutcome(receipt, drafts, own);
  requireTimes(receipt, drafts, { all, own });
  return reports;
}

/**
 * Requires that the audit log shows the enrollment of the key, then its signature of exactly this grant, and nothing
 * else.
 * @throws {ReceiptError} `record`, `time`
 */
export function requireMatchingGrantRecord(receipt: Omit<GrantReceipt, 'signature'>, signer: ReceiptJwk): void {
  const { grant, approval, issued_at } = receipt;
  const all = requireProvenLines(receipt, signer);
  const [enrolled, signed, more] = all;
  if (enrolled?.event !== 'key_enrolled' || signed?.event !== 'signed' || more !== undefined) {
    throw wrong('the audit log does not show the key and its signature');
  }
  requireEnrolled(approval, [enrolled], all);
  const isSame = signed.approval === grant.id && signed.digest === grant.digest;
  if (!isSame || !isSignedBy(signed, approval) || !hasSameCanonicalForm(signed.grant, grant.terms)) {
    throw wrong('the audit log describes a different grant');
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

/** Requires that the lines about a proposal describe exactly this proposal and these signatures. */
function requireHistory(
  proposal: ApprovedProposal,
  approvals: readonly SignedApproval[],
  lines: readonly Line[],
): void {
  for (const line of lines) requireSameFacts(proposal, approvals, line);
  requireSteps(lines);
  const [proposed] = lines;
  requireOrder([lines.find(isEvent('proposed')), lines.find(isEvent('executing'))], lines);
  if (proposed?.event !== 'proposed' || lines.filter(isEvent('proposed')).length !== 1) {
    throw wrong('the audit log does not begin with the proposal');
  }
  if (proposed.at !== proposal.created_at)
    throw new ReceiptError('time', 'the audit log shows a different time of the proposal');
  if (approvals.length > 0 && proposed.second !== approvals[1]?.sub) {
    throw wrong('the audit log names a different second approver');
  }
  for (const approval of approvals) {
    const signed = lines.find((line) => line.event === 'signed' && isSignedBy(line, approval));
    if (signed === undefined) throw wrong('the audit log does not show that this key signed the approval');
    requireOrder([proposed, signed, lines.find(isEvent('executing'))], lines);
  }
}

function requireSameFacts(proposal: ApprovedProposal, approvals: readonly SignedApproval[], line: Line): void {
  if (line.digest !== proposal.digest) throw wrong('a line of the audit log is not about this receipt');
  if (line.event === 'signed') {
    if (approvals.some((one) => one.sub === line.sub)) return;
    throw wrong('the audit log describes a different signature');
  }
  const { id: _, created_at: __, nonce: ___, proposed_by, code_entry, policy, ...facts } = proposal;
  const all = { ...facts, proposed_by, code_entry, policy };
  const isSame = Object.entries(all).every(([name, value]) => hasSameCanonicalForm(line[name], value));
  if (!isSame) throw wrong('the audit log describes a different proposal');
}

/** Requires that no line is missing between two of a proposal's lines, and that they are in the order of their times. */
function requireSteps(lines: readonly Line[]): void {
  if (!lines.every(({ at }, place) => isBefore(lines[place - 1]?.at ?? at, at))) throw late('a line was written');
  const changes = lines.filter(({ event }) => event !== 'signed');
  for (const [place, { event, state }] of changes.entries()) {
    const step = steps[event];
    if (step?.from.includes(changes[place - 1]?.state) === true && step.to.includes(state)) continue;
    throw wrong('a line of the audit log is missing, or its state does not match its event');
  }
  for (const [place, line] of changes.entries()) requireSameRequest(line, changes[place - 1]);
}

/** Requires that a line names the same approval request as the previous line, unless it begins another request. */
function requireSameRequest({ event, state, auth_req_hash: named }: Line, before: Line | undefined): void {
  const isOwn = REQUEST_EVENTS.includes(event);
  const isSame = isOwn && state !== 'drafted' ? isHash(named) : named === (isOwn ? undefined : before?.auth_req_hash);
  if (!isSame) throw wrong('the audit log names a different approval request');
}

const isHash = (value: unknown) => typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value);

/** Requires that the audit log describes exactly this mandate at the time when it became active. */
function requireMandateGranted({ mandate_id, replaces, standing }: MandateEnvelope, lines: readonly Line[]): void {
  const began = lines.find(isEvent('executing'))?.at ?? '';
  for (const { result, at } of lines.filter(isEvent('executed'))) {
    const granted = mandateResultSchema.safeParse(result).data;
    const isSame = granted?.mandate === mandate_id && granted.replaced === replaces;
    const isRepeated = standing !== undefined && isRecurring(standing.when);
    if (!isSame || !hasSameCanonicalForm(granted, result) || (granted.next_at !== undefined) !== isRepeated) {
      throw wrong('the audit log describes a different mandate');
    }
    const { granted_at, next_at = granted_at } = granted;
    const areTimes = [granted_at, next_at].every(isTimeInSeconds);
    if (!areTimes || !isBefore(began, granted_at) || !isBefore(granted_at, at) || next_at < granted_at) {
      throw late('the mandate became active');
    }
  }
}

const isTimeInSeconds = (text: string) => {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && formatUtcSeconds(ms) === text;
};

/** The bit for "backed up" in the flags of authenticator data, which are in byte 32 (WebAuthn §6.1). */
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

/** Requires a line that records a key's enrollment, before the key signed. */
function requireEnrolled(approval: SignedApproval, enrolled: readonly Line[], all: readonly Line[]): void {
  const { sub, key } = approval;
  const fingerprint = createHash('sha256').update(Buffer.from(key.public_key, 'base64url')).digest('base64url');
  const { method, device_type, name } = key;
  const [line, another] = enrolled.filter((one) => isKeyOf(one, approval));
  const isSame = hasSameCanonicalForm(
    { sub, method, device_type, name, fingerprint, at: key.enrolled_at },
    { ...pick(line, ['sub', 'method', 'device_type', 'name', 'fingerprint', 'at']) },
  );
  const isEnrolled = ENROLLED_BY.includes(line?.by) && typeof line?.backed_up === 'boolean';
  // A single-device key is never backed up.
  const isBackedUp = device_type === 'singleDevice' && line?.backed_up !== false;
  if (!isSame || another !== undefined || !isEnrolled || isBackedUp)
    throw wrong('the audit log does not show that this key was enrolled');
  requireOrder([line, all.find((one) => one.event === 'signed' && isKeyOf(one, approval))], all);
}

function pick(line: Line | undefined, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, line?.[name] ?? null]));
}

/**
 * Requires that the last state, the broker's responses and the number of submissions match the audit log.
 * @returns the broker's reports about the orders, from the lines
 */
function requireSameOutcome(
  { state, proposal, orders }: UnsignedReceipt,
  drafts: readonly OrderDraft[],
  own: readonly Line[],
): Order[] {
  const last = own.findLast(({ event }) => event !== 'signed');
  if (last?.state !== state) throw wrong('the audit log shows a different state of the proposal');
  const reports = readReports({ proposal, orders }, drafts, own);
  const attempts = own.filter(isEvent('executing')).length;
  for (const { client_order_id: id, answered, problem, submitted_at, submissions } of orders) {
    if (submissions > attempts) throw wrong(`the audit log does not show that order ${id} was sent that many times`);
    if (state === 'executed' && answered !== null && !reports.some((one) => hasSameCanonicalForm(one, answered))) {
      throw wrong(`the audit log shows a different broker response about order ${id}`);
    }
    if (state !== 'blocked' || proposal.kind === 'batch' || problem === null || submitted_at === null) continue;
    const reason = last.reason as Readonly<Record<string, unknown>> | undefined;
    if (reason?.code !== problem.code || reason?.text !== problem.detail) {
      throw wrong(`the audit log shows a different reason why order ${id} was rejected`);
    }
  }
  return reports;
}

/** Returns the broker's reports about the orders, from the lines. */
function readReports(
  { proposal, orders }: Pick<UnsignedReceipt, 'proposal' | 'orders'>,
  drafts: readonly OrderDraft[],
  own: readonly Line[],
): Order[] {
  const reports = own.filter(isEvent('executed')).flatMap((line) => reportsOf(line, proposal.kind, drafts));
  for (const { client_order_id: id, symbol, side } of reports) {
    const sent = orders.find((one) => one.client_order_id === id)?.order;
    if (sent === undefined) throw wrong('the audit log describes an order that is not in the receipt');
    if (sent.symbol !== symbol || sent.side !== side) throw wrong('the audit log describes a different order');
  }
  return reports;
}

/** Returns the orders in a proposal's result: one order or, for a batch, each order that was placed. */
function reportsOf({ result }: Line, kind: string, drafts: readonly OrderDraft[]): Order[] {
  if (kind !== 'batch') {
    const report = orderSchema.safeParse(result).data;
    if (report === undefined || !hasSameCanonicalForm(report, result)) throw wrong('a result is unreadable');
    return [report];
  }
  const { lines = [] } = batch.resultSchema.safeParse(result).data ?? {};
  const isSame = lines.length === drafts.length && hasSameCanonicalForm({ lines }, result);
  const areReported = lines.every(({ client_order_id: id, outcome, order }, at) => {
    const isPlaced = (outcome === 'placed') === (order !== undefined);
    return isPlaced && id === drafts[at]?.client_order_id && (order?.client_order_id ?? id) === id;
  });
  if (!isSame || !areReported) throw wrong('the audit log describes a different batch');
  return lines.flatMap(({ order }) => order ?? []);
}

const late = (what: string) => new ReceiptError('time', `${what} at an impossible time`);

function isBefore(one: string, other: string): boolean {
  return Date.parse(one) <= Date.parse(other) + CLOCK_TOLERANCE_MS;
}

/** Requires that proposing, deciding, sending and issuing happened in this order, and before the orders expired. */
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

/** Requires that the gateway's key signed the checkpoint and that its tree contains each line. Returns the lines. */
function requireProvenLines(
  { gateway, record, checkpoint: note }: Pick<UnsignedReceipt, 'gateway' | 'record' | 'checkpoint'>,
  signer: ReceiptJwk,
): Line[] {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint?.origin !== logOrigin(gateway)) throw wrong('the checkpoint is from a different audit log');
  if (findCheckpointSigner(checkpoint, [signer]) === undefined) {
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

/** Parses a line, which must be exactly what `JSON.stringify` writes for an object. */
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
