import { isTradeAgentError } from '../errors/errors.ts';
import { problemCodeOf } from '../errors/problem-codes.ts';
import { failpoint } from '../machine/failpoint.ts';
import type { Reason, StoredProposal } from '../store/proposal-store.ts';
import type { PolicyReason } from '../trading/policy-reasons.ts';
import type { ProposalState } from '../trading/proposal.ts';
import { Refusal } from '../trading/refusal.ts';
import { defined } from '../values/defined.ts';
import { haltedReason, mandateOf, NO_TOKEN, passesHalt, requireStanding, revokedReason } from './access.ts';
import { noteDenied } from './denied.ts';
import { proposalDigest, requireSameDetails } from './details.ts';
import type { KernelContext } from './kernel-context.ts';
import type { KernelParts } from './kernel-parts.ts';
import type { Approved, Execution, Proposer } from './kind.ts';
import type { Changes } from './moves.ts';
import { questionOf } from './question.ts';

/*
 * From an approved proposal to what came of it: carried out once, whatever dies.
 *
 *  1. The token is in the row, sealed, before anybody acts on it. A gateway that dies afterwards finds it there.
 *  2. `executing` is committed, and its line is on the audit file, before the desk hears of it.
 *  3. The desk is what makes it once: its journal takes each subject's id and each token's `jti` once, in one
 *     transaction, before the broker hears of the order. Asked a second time for the same it answers with the first
 *     result, looks an open one up, or sends it again where that can't make two. So a gateway that died anywhere in
 *     between simply asks again; nothing here needs to know how far it had come.
 *  4. Only an answer ends it: without one the proposal is `unknown`, never `failed`.
 *  5. One process carries out a proposal, in one place: `supervisor/proposal-run.ts`. Where it stood still and another has taken
 *     over, both may be at it for a moment. Orders and messages hold without that: whoever takes over moves the row first and
 *     reads the journal then; whoever sends has claimed it in the journal first and looks at the row then (`isOurs`). So one of
 *     the two sees the other: nobody concludes from an empty journal that nothing was placed while somebody else sends.
 *  6. Where approvals are signed, the token is not enough: the person's own key must have signed the row as it is. What was
 *     signed is kept before `executing` is, so the same signature passes when it is looked at again.
 *  7. `executing` is committed only while trading is not halted, in one transaction with that look (moves.ts). A halt that
 *     comes later finds it begun; it is then asked about, and sent no more.
 *  8. What a mandate approves has no token: it stands in the subject, which the row's digest is of. Whether the mandate covers
 *     it is looked at where the desk claims it, in one transaction with what it uses, and once more before it goes out.
 */

/** Waits between the tries where the desk did not take it (the broker is busy), milliseconds. */
const NOT_TAKEN_WAITS_MS = [1_000, 2_000, 5_000, 10_000, 30_000] as const;
/**
 * Waits before asking what became of it, milliseconds; the last goes on. A miss right after a time-out proves nothing;
 * the fourth look comes just after the desk may send again, also where another gateway takes it over after twenty seconds.
 */
const UNKNOWN_WAITS_MS = [1_000, 5_000, 10_000, 15_000, 30_000, 60_000] as const;
/** How long after a token's end it is still of use for asking: the broker's own token may last longer. */
const TOKEN_GRACE_MS = 15 * 60_000;

/**
 * Tries once to carry out what was approved.
 * @param tries how often it was tried before
 * @returns milliseconds until it is to be tried again; undefined if it is settled, or nobody here can say more
 */
export async function carryOut(
  context: KernelContext,
  id: string,
  tries: number,
): Promise<number | undefined> {
  const { store, moves, clock, kindOf } = context.parts;
  const proposal = await store.get(id);
  if (proposal === undefined || !['approved', 'executing', 'unknown'].includes(proposal.state))
    return undefined;
  const begun = proposal.state !== 'approved';
  const stopped = begun ? undefined : await reasonNotTo(context.parts, proposal);
  if (stopped !== undefined) {
    context.announce(await moves.move(proposal, stopped.to, { reason: stopped.reason }));
    return undefined;
  }
  const approved = await approvalOf(context, proposal);
  if (approved === undefined) return undefined;
  if (approved === 'later') return waitOf(NOT_TAKEN_WAITS_MS, tries);
  context.rememberApproval(approved);
  kindOf(proposal.kind).prepare?.(proposal.subject, approved);
  const intent = await moves.move(proposal, 'executing');
  // Withdrawn or halted meanwhile: it is looked at again.
  if (intent.outcome !== 'moved') return 0;
  failpoint('execute.intent');
  // An order that leaves no record is not sent.
  if (!(await context.record())) {
    if (!begun) context.announce(await moves.move(intent.proposal, 'approved', { reason: notRecorded }));
    return waitOf(NOT_TAKEN_WAITS_MS, tries);
  }
  context.announce(intent);
  if (!begun) context.tellSending(intent.proposal);
  const { version } = intent.proposal;
  const isOurs = async () => (await store.get(id))?.version === version;
  const execution = await execute(context.parts, intent.proposal, { ...approved, isOurs });
  failpoint('execute.answered');
  const wait = await settleExecution(context, intent.proposal, execution, tries);
  // One that was not taken is still `approved`: the next try sees whether its time is up.
  const isOver = clock.now() > approved.expiresAt + TOKEN_GRACE_MS;
  return isOver && execution.outcome === 'unknown' ? undefined : wait;
}

/**
 * Carries it out. One that had been begun before a halt is only asked about: sent again it would be a trade that nobody
 * wants any more.
 */
async function execute(
  { kindOf, halts }: KernelParts,
  { kind, sub, subject }: StoredProposal,
  approved: Approved,
): Promise<Execution<unknown>> {
  const { execute: carry, settle } = kindOf(kind);
  if (passesHalt(kind) || (await halts.haltedAt(sub)) === undefined) return await carry(subject, approved);
  const { clientId = '', accessToken } = approved;
  const found = await settle(subject, { sub, clientId, accessToken });
  return found ?? { outcome: 'not_taken', refusal: new Refusal(403, haltedReason.code, haltedReason.text) };
}

/** Why a proposal is `executed` that had been reported as expired: what its owner has to know, and can do. */
export async function placedLate(
  { excessOf }: Pick<KernelParts, 'excessOf'>,
  proposal: StoredProposal,
): Promise<Reason> {
  const text =
    'The order was reported as not placed, and reached the broker later. Cancel it while it is open, or close what it traded.';
  const excess = await excessOf?.(proposal);
  return excess === undefined
    ? { code: 'placed_late', text }
    : { code: 'placed_late', text: `${text} ${excess}`, members: { excess } };
}

/**
 * Records that a proposal was carried out. That is proof: it holds whatever else became of the proposal meanwhile, also where
 * it had been reported as expired.
 */
export async function recordExecuted(
  context: KernelContext,
  proposal: StoredProposal,
  result: unknown,
): Promise<void> {
  for (let seen = proposal; ; ) {
    const reason = seen.state === 'expired' ? await placedLate(context.parts, seen) : undefined;
    const after = await context.parts.moves.move(seen, 'executed', { result, ...defined({ reason }) });
    failpoint('execute.recorded');
    if (after.outcome === 'stale') {
      seen = after.proposal;
      continue;
    }
    context.announce(after);
    return;
  }
}

/** Notes what carrying out came to, if it still stands as it was given. Milliseconds until it is tried again; undefined where it is over. */
export async function settleExecution(
  context: KernelContext,
  proposal: StoredProposal,
  execution: Execution<unknown>,
  tries: number,
): Promise<number | undefined> {
  const move = async (to: ProposalState, changes: Changes) => {
    const after = await context.parts.moves.move(proposal, to, changes);
    failpoint('execute.recorded');
    context.announce(after);
  };
  switch (execution.outcome) {
    case 'executed':
      await recordExecuted(context, proposal, execution.result);
      return undefined;
    case 'refused': {
      const reason = reasonOf(execution.refusal);
      // One that a rule stopped before it went out was not late.
      const isLate =
        ['approval_expired', 'not_placed'].includes(reason.code) && reason.members?.reason === undefined;
      await move(isLate ? 'expired' : 'blocked', { reason });
      return undefined;
    }
    case 'not_taken':
      await move('approved', { reason: reasonOf(execution.refusal) });
      return waitOf(NOT_TAKEN_WAITS_MS, tries);
    case 'unknown': {
      const reason: Reason = { code: 'outcome_unknown', text: execution.text };
      if (execution.final === true) {
        await move('blocked', { reason });
        return undefined;
      }
      await move('unknown', { reason });
      return waitOf(UNKNOWN_WAITS_MS, tries);
    }
    default:
      throw new Error(`a ${proposal.kind} came to something else`);
  }
}

/** Why an approved proposal must not be carried out after all. */
async function reasonNotTo(
  parts: KernelParts,
  proposal: StoredProposal,
): Promise<{ readonly to: 'expired' | 'cancelled' | 'blocked'; readonly reason: Reason } | undefined> {
  const { halts, clock, access, isTakenBack } = parts;
  const { sub, proposedBy, second, kind, deadline, client, createdAt } = proposal;
  if (clock.now() >= deadline) {
    const text = 'it was approved, but its time ran out before it could be carried out';
    return { to: 'expired', reason: { code: 'approval_expired', text } };
  }
  if (!passesHalt(kind) && (await halts.haltedAt(sub)) !== undefined)
    return { to: 'cancelled', reason: haltedReason };
  if (isTakenBack?.({ sub: proposedBy ?? sub, client }, createdAt) === true)
    return { to: 'cancelled', reason: revokedReason };
  try {
    await requireStanding(access, { kind, owner: sub, proposer: proposedBy ?? sub, second });
    return undefined;
  } catch (error) {
    // An engagement that has ended since: the approval is used for nothing.
    if (!(error instanceof Refusal)) throw error;
    await noteDenied(parts, deniedAbout(proposal), error);
    return { to: 'blocked', reason: reasonOf(error) };
  }
}

/**
 * Verifies the owner's approval again. Undefined if it is invalid, which has ended the proposal; `later` while that cannot be
 * told: the provider's keys cannot be reached, or the token is not valid yet.
 */
async function approvalOf(
  context: KernelContext,
  proposal: StoredProposal,
): Promise<Approved | 'later' | undefined> {
  try {
    return await verifiedApproval(context, proposal);
  } catch (error) {
    const refusal = isTradeAgentError(error) ? new Refusal(500, problemCodeOf(error), error.message) : error;
    if (!(refusal instanceof Refusal)) throw error;
    return await approvalRefused(context, proposal, refusal);
  }
}

async function verifiedApproval(context: KernelContext, proposal: StoredProposal): Promise<Approved> {
  requireIntact(proposal);
  const mandate = mandateOf(proposal);
  if (mandate !== undefined) return mandateApproval(context.askerOf(proposal.sub), proposal, mandate);
  const isFirst = proposal.state === 'approved';
  const approved = await verifyYes(context.parts, proposal, 'owner', { isFirst });
  if (proposal.second === undefined) return { ...approved, ...givenBy(proposal), acr: approved.acr ?? [] };
  const second = await verifyYes(context.parts, proposal, 'second', { isFirst });
  return { ...approved, ...givenBy(proposal), acr: [...(approved.acr ?? []), ...(second.acr ?? [])] };
}

async function approvalRefused(
  context: KernelContext,
  proposal: StoredProposal,
  refusal: Refusal,
): Promise<'later' | undefined> {
  const { moves, clock } = context.parts;
  const { state, tokenExpiresAt = 0 } = proposal;
  const isOfUse = state === 'approved' || clock.now() <= tokenExpiresAt + TOKEN_GRACE_MS;
  if (provesNothing(refusal) && isOfUse) return 'later';
  if (state === 'approved') {
    await noteDenied(context.parts, deniedAbout(proposal), refusal);
    const { to, reason } = endOf(refusal);
    context.announce(await moves.move(proposal, to, { reason }));
  } else if (state === 'executing') {
    // It may have been sent, and this token is of no more use: the person's next visit asks for the outcome.
    const reason: Reason = { code: 'outcome_unknown', text: unknownText };
    context.announce(await moves.move(proposal, 'unknown', { reason }));
  }
  return undefined;
}

/**
 * A mandate's yes, in the form that a token's has. What the broker is opened with is the session that is at hand: the
 * proposer's own at first. After a restart there is none until one of the person's programs comes by; key pairs need none.
 */
function mandateApproval(asker: Proposer | undefined, proposal: StoredProposal, mandate: string): Approved {
  const { sub, client, subjectId, deadline } = proposal;
  return {
    sub,
    proposer: givenBy(proposal).proposer,
    clientId: asker?.clientId ?? client,
    mandate,
    jti: `m:${mandate}:${subjectId}`,
    authorizationDetails: undefined,
    accessToken: asker?.accessToken ?? NO_TOKEN,
    expiresAt: deadline,
  };
}

/**
 * Whether a refusal of an approval may come to another end by waiting: the provider's keys are out of reach, or the token is
 * from a moment that has not come here yet. A clock that is slow must not cost an approval.
 */
export function provesNothing({ status, code }: Refusal): boolean {
  return status === 503 || code === 'token_not_yet_valid';
}

/** How a proposal ends whose approval was refused. */
export function endOf(refusal: Refusal): { readonly to: 'expired' | 'blocked'; readonly reason: Reason } {
  return refusal.code === 'token_expired'
    ? { to: 'expired', reason: { code: 'approval_expired', text: lateText } }
    : { to: 'blocked', reason: reasonOf(refusal) };
}

/** Of a refusal of what was approved. */
export function deniedAbout({ sub, proposedBy = sub, client, kind, subjectId }: StoredProposal) {
  return { sub, owner: sub, proposer: proposedBy, client, kind, subjectId, stage: 'order' } as const;
}

/** For whom it is carried out, and who said yes: what the desk decides by. */
function givenBy({
  sub,
  proposedBy,
  second,
  client,
  createdAt,
  membership,
}: StoredProposal): Required<Pick<Approved, 'proposer' | 'approvers'>> {
  return {
    proposer: { sub: proposedBy ?? sub, client, at: createdAt, membership },
    approvers: second === undefined ? [sub] : [sub, second],
  };
}

/**
 * One person's yes, by its token: theirs, to these very details, signed by their own key where that is asked for.
 * @param time `isFirst`: nothing was acted on by it yet. An owner's that waited for a second person's was looked at when it
 *   came, and may have run out since
 * @throws {Refusal}
 */
export async function verifyYes(
  parts: KernelParts,
  proposal: StoredProposal,
  of: 'owner' | 'second',
  { isFirst }: { readonly isFirst: boolean },
): Promise<Approved> {
  const { moves, verifyApproval, details, signatures } = parts;
  const { sub, second, proposedBy, state } = proposal;
  const who = of === 'owner' ? sub : second;
  const token = await moves.token(proposal, of);
  if (token === undefined) throw new Refusal(500, 'state_corrupt', 'the approval has lost its token');
  const mayBeOver = of === 'owner' && second !== undefined && state !== 'requested';
  const approved = await verifyApproval(token, { isFirst: isFirst && !mayBeOver });
  if (approved.sub !== who) throw approvedByOther(approved.sub, { proposedBy, sub, of });
  const asked = questionOf(parts, proposal).details;
  if (details === 'rar') requireSameDetails(approved.authorizationDetails, asked);
  // Over the row's own details: whoever made the token could have made it say anything.
  await signatures?.check(asked, approved.approvalEvidence, who, { isFirst });
  return approved;
}

function approvedByOther(
  approver: string,
  { proposedBy, sub, of }: { proposedBy: string | undefined; sub: string; of: 'owner' | 'second' },
): Refusal {
  if (approver === proposedBy) {
    return denied('APPROVAL_BY_PROPOSER', 'who proposed it approved it: the owner of the account must');
  }
  if (of === 'second' && approver === sub) {
    return denied('APPROVAL_NEEDS_SECOND', 'the same person approved it twice: it takes two');
  }
  return new Refusal(403, 'approved_by_another_user', 'somebody else approved it');
}

function denied(reason: PolicyReason, detail: string): Refusal {
  return new Refusal(403, 'policy_denied', detail, { members: { reason, reasons: [reason] }, challenge: {} });
}

const notRecorded: Reason = {
  code: 'service_busy',
  text: 'the gateway can’t write its record now; it is tried again',
};
/** A row that somebody changed since it was drafted is not what the person saw. @throws {Refusal} 500 `state_corrupt` */
function requireIntact(proposal: StoredProposal): void {
  const { worstCase, requestedBy, proposedBy, digest } = proposal;
  const statement = {
    ...proposal,
    worst_case: worstCase,
    requested_by: requestedBy,
    proposed_by: proposedBy,
  };
  if (proposalDigest(statement) === digest) return;
  throw new Refusal(500, 'state_corrupt', 'the proposal is another than was drafted: it is not carried out');
}

const lateText = 'it was approved, but its token ran out before the gateway could carry it out';
const unknownText =
  'the gateway was cut off while it was sent; what became of it is asked when you next look';

function reasonOf({ code, message, options }: Refusal): Reason {
  return { code, text: message, ...defined({ members: options.members }) };
}

function waitOf(waits: readonly number[], tries: number): number {
  return waits[Math.min(tries, waits.length - 1)] ?? 0;
}
