import { isTradeAgentError } from '../errors/errors.ts';
import { toProblemCode } from '../errors/problem-codes.ts';
import { failpoint } from '../machine/failpoint.ts';
import type { ProposalReason, StoredProposal } from '../store/proposal-store.ts';
import { HttpProblem } from '../trading/http-problem.ts';
import type { PolicyReason } from '../trading/policy-reasons.ts';
import type { ProposalState } from '../trading/proposal.ts';
import { defined } from '../values/defined.ts';
import {
  findApprovingMandate,
  haltedReason,
  isAllowedDuringHalt,
  NO_TOKEN,
  requireProposalAccess,
  revokedReason,
} from './access.ts';
import { buildCibaRequest } from './ciba-request.ts';
import { proposalDigest, requireSameDetails } from './details.ts';
import type { KernelContext } from './kernel-context.ts';
import type { KernelDeps } from './kernel-deps.ts';
import type { Approval, ExecutionOutcome, Proposer } from './kind.ts';
import { logDenial } from './log-denial.ts';
import type { ProposalPatch } from './transitions.ts';

/*
 * Executes an approved proposal exactly once, even if a process dies at any point.
 *
 *  1. The token is sealed in the row before it is used, because the provider issues it only once: a gateway that
 *     continues after a crash finds it in the row.
 *  2. `executing` is committed together with its line in the audit log, before the service (orders, messages, …) is
 *     called. Otherwise something could be sent without a record.
 *  3. The service acts only once: its journal accepts each subject id and each token's `jti` once, in one transaction,
 *     before the broker sees the order. Called again for the same subject, the service returns the first result, looks
 *     up an open outcome, or sends the order again if that can't place it twice. A gateway that continues after a crash
 *     therefore simply calls the service again, and need not know how far the earlier gateway got.
 *  4. Only a response settles a proposal. Without one, the proposal is `unknown`, never `failed`, because the broker may
 *     have the order.
 *  5. One process at a time executes a proposal (`supervisor/proposal-run.ts`). If that process stalls and another takes
 *     over, both may run for a moment. Orders and messages are still sent once: the process that takes over changes the
 *     row and then reads the journal, and the sender writes the journal and then reads the row (`isOurs`). At least one
 *     of them sees the other's change, so none concludes from an empty journal that nothing was sent while the other
 *     sends.
 *  6. If approvals are signed, a token is not enough, because its issuer could put anything into it: the person's own
 *     key must have signed the row as it is. The signature is stored before `executing`, so it can be verified again
 *     after a crash.
 *  7. `executing` is committed only while trading is not halted, checked in the same transaction (transitions.ts). If a
 *     halt comes later, the proposal is already executing, so its outcome is looked up, and nothing more is sent.
 *  8. An approval by mandate has no token. The mandate is named in the subject, which the row's digest covers. Whether
 *     the mandate covers the order is checked in the transaction that claims the order and counts its use, and again
 *     before sending.
 */

/**
 * Delays before retrying when the service did not accept the proposal, for example because the broker is busy, in
 * milliseconds; the last one repeats.
 */
const NOT_ACCEPTED_DELAYS_MS = [1_000, 2_000, 5_000, 10_000, 30_000] as const;
/**
 * Delays before looking up an unknown outcome, in milliseconds; the last one repeats. An order that is missing right
 * after a timeout may still arrive. The first four delays add up to just over 30 s, the time after which the service
 * may send the order again, even if another gateway took over the proposal after 20 s.
 */
const UNKNOWN_DELAYS_MS = [1_000, 5_000, 10_000, 15_000, 30_000, 60_000] as const;
/** How long an expired token is used for lookups, in milliseconds. The broker's token may be valid longer. */
const TOKEN_GRACE_MS = 15 * 60_000;

/**
 * Makes one attempt to execute an approved proposal.
 * @param tries number of earlier attempts
 * @returns milliseconds until the next attempt; undefined if the proposal is settled, or this process can do nothing
 *   more
 */
export async function executeProposal(context: KernelContext, id: string, tries: number): Promise<number | undefined> {
  const { store, moves, clock, getKind } = context.parts;
  const proposal = await store.get(id);
  if (proposal === undefined || !['approved', 'executing', 'unknown'].includes(proposal.state)) return undefined;
  const begun = proposal.state !== 'approved';
  const stopped = begun ? undefined : await findBlockingReason(context.parts, proposal);
  if (stopped !== undefined) {
    context.announce(await moves.move(proposal, stopped.to, { reason: stopped.reason }));
    return undefined;
  }
  const approved = await verifyApprovalAgain(context, proposal);
  if (approved === undefined) return undefined;
  if (approved === 'later') return retryDelay(NOT_ACCEPTED_DELAYS_MS, tries);
  context.rememberApproval(approved);
  getKind(proposal.kind).prepare?.(proposal.subject, approved);
  const intent = await moves.move(proposal, 'executing');
  // The proposal was withdrawn, or trading was halted, since the row was read, so the row has to be read again.
  if (intent.outcome !== 'moved') return 0;
  failpoint('execute.intent');
  context.announce(intent);
  if (!begun) context.notifySending(intent.proposal);
  const { version } = intent.proposal;
  const isOurs = async () => (await store.get(id))?.version === version;
  const execution = await executeOrLookUp(context.parts, intent.proposal, { ...approved, isOurs });
  failpoint('execute.answered');
  const wait = await recordExecutionOutcome(context, intent.proposal, execution, tries);
  // If the service did not accept the proposal, it is `approved` again, and the next attempt checks its deadline.
  const isOver = clock.now() > approved.expiresAt + TOKEN_GRACE_MS;
  return isOver && execution.outcome === 'unknown' ? undefined : wait;
}

/**
 * Executes a proposal. If trading was halted after the execution began, only looks up the outcome: sending the
 * order again could make a trade after the owner stopped trading.
 */
async function executeOrLookUp(
  { getKind, halts }: KernelDeps,
  { kind, sub, subject }: StoredProposal,
  approved: Approval,
): Promise<ExecutionOutcome<unknown>> {
  const { execute: carry, settle } = getKind(kind);
  if (isAllowedDuringHalt(kind) || (await halts.haltedAt(sub)) === undefined) return await carry(subject, approved);
  const { clientId = '', accessToken } = approved;
  const found = await settle(subject, { sub, clientId, accessToken });
  return found ?? { outcome: 'not_taken', refusal: new HttpProblem(403, haltedReason.code, haltedReason.text) };
}

/** Returns the reason to record for an order that was placed after all. The text tells the owner what to do. */
export async function buildLatePlacementReason(
  { mandateExcess }: Pick<KernelDeps, 'mandateExcess'>,
  proposal: StoredProposal,
): Promise<ProposalReason> {
  const text =
    'The order was reported as not placed, but it reached the broker later. Cancel it if it is still open, or reverse it if it was filled.';
  const excess = await mandateExcess?.(proposal);
  return excess === undefined
    ? { code: 'placed_late', text }
    : { code: 'placed_late', text: `${text} ${excess}`, members: { excess } };
}

/**
 * Records that a proposal was executed. The execution is proven, so it overrides any state that was recorded in the
 * meantime, even `expired`.
 */
export async function recordExecuted(context: KernelContext, proposal: StoredProposal, result: unknown): Promise<void> {
  for (let seen = proposal; ; ) {
    const reason = seen.state === 'expired' ? await buildLatePlacementReason(context.parts, seen) : undefined;
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

/**
 * Records the outcome of an execution. If the proposal has changed in the meantime, records only the outcome
 * `executed`.
 * @returns milliseconds until the next attempt; undefined if the proposal is settled
 */
export async function recordExecutionOutcome(
  context: KernelContext,
  proposal: StoredProposal,
  execution: ExecutionOutcome<unknown>,
  tries: number,
): Promise<number | undefined> {
  const move = async (to: ProposalState, changes: ProposalPatch) => {
    const after = await context.parts.moves.move(proposal, to, changes);
    failpoint('execute.recorded');
    context.announce(after);
  };
  switch (execution.outcome) {
    case 'executed':
      await recordExecuted(context, proposal, execution.result);
      return undefined;
    case 'refused': {
      const reason = toReason(execution.refusal);
      // A refusal with a rule's reason blocks the proposal. Any other refusal with these codes means that time ran out.
      const isLate = ['approval_expired', 'not_placed'].includes(reason.code) && reason.members?.reason === undefined;
      await move(isLate ? 'expired' : 'blocked', { reason });
      return undefined;
    }
    case 'not_taken':
      await move('approved', { reason: toReason(execution.refusal) });
      return retryDelay(NOT_ACCEPTED_DELAYS_MS, tries);
    case 'unknown': {
      const reason: ProposalReason = { code: 'outcome_unknown', text: execution.text };
      if (execution.final === true) {
        await move('blocked', { reason });
        return undefined;
      }
      await move('unknown', { reason });
      return retryDelay(UNKNOWN_DELAYS_MS, tries);
    }
    default:
      throw new Error(`unexpected outcome of a proposal of kind ${proposal.kind}`);
  }
}

/** Returns why an approved proposal must not be executed; undefined if it may be executed. */
async function findBlockingReason(
  parts: KernelDeps,
  proposal: StoredProposal,
): Promise<{ readonly to: 'expired' | 'cancelled' | 'blocked'; readonly reason: ProposalReason } | undefined> {
  const { halts, clock, access, isRevokedBySignal } = parts;
  const { sub, proposedBy, second, kind, deadline, client, createdAt } = proposal;
  if (clock.now() >= deadline) {
    const text = 'the proposal was approved, but expired before it could be carried out';
    return { to: 'expired', reason: { code: 'approval_expired', text } };
  }
  if (!isAllowedDuringHalt(kind) && (await halts.haltedAt(sub)) !== undefined)
    return { to: 'cancelled', reason: haltedReason };
  if ((await isRevokedBySignal?.({ sub: proposedBy ?? sub, client }, createdAt)) === true)
    return { to: 'cancelled', reason: revokedReason };
  try {
    await requireProposalAccess(access, { kind, owner: sub, proposer: proposedBy ?? sub, second });
    return undefined;
  } catch (error) {
    // A relation, such as an adviser's, has ended since the approval, so the approval is not used.
    if (!(error instanceof HttpProblem)) throw error;
    await logDenial(parts, denialFacts(proposal), error);
    return { to: 'blocked', reason: toReason(error) };
  }
}

/**
 * Verifies the approval again. If it is invalid, records the new state and returns undefined. Returns `later` if its
 * validity can't be decided yet, because the provider's keys are unreachable or the token is not valid yet.
 */
async function verifyApprovalAgain(
  context: KernelContext,
  proposal: StoredProposal,
): Promise<Approval | 'later' | undefined> {
  try {
    return await requireApproval(context, proposal);
  } catch (error) {
    const refusal = isTradeAgentError(error) ? new HttpProblem(500, toProblemCode(error), error.message) : error;
    if (!(refusal instanceof HttpProblem)) throw error;
    return await handleRefusedApproval(context, proposal, refusal);
  }
}

async function requireApproval(context: KernelContext, proposal: StoredProposal): Promise<Approval> {
  requireIntact(proposal);
  const mandate = findApprovingMandate(proposal);
  if (mandate !== undefined) return mandateApproval(context.latestSession(proposal.sub), proposal, mandate);
  const isFirst = proposal.state === 'approved';
  const approved = await verifyApprovalToken(context.parts, proposal, 'owner', { isFirst });
  if (proposal.second === undefined) return { ...approved, ...approvalParties(proposal), acr: approved.acr ?? [] };
  const second = await verifyApprovalToken(context.parts, proposal, 'second', { isFirst });
  return { ...approved, ...approvalParties(proposal), acr: [...(approved.acr ?? []), ...(second.acr ?? [])] };
}

async function handleRefusedApproval(
  context: KernelContext,
  proposal: StoredProposal,
  refusal: HttpProblem,
): Promise<'later' | undefined> {
  const { moves, clock } = context.parts;
  const { state, tokenExpiresAt = 0 } = proposal;
  const isOfUse = state === 'approved' || clock.now() <= tokenExpiresAt + TOKEN_GRACE_MS;
  if (mayBeAcceptedLater(refusal) && isOfUse) return 'later';
  if (state === 'approved') {
    await logDenial(context.parts, denialFacts(proposal), refusal);
    const { to, reason } = refusedApprovalOutcome(refusal);
    context.announce(await moves.move(proposal, to, { reason }));
  } else if (state === 'executing') {
    // The order may have been sent, but this token is no longer usable. The outcome is looked up when the person next
    // views the proposal.
    const reason: ProposalReason = { code: 'outcome_unknown', text: interruptedText };
    context.announce(await moves.move(proposal, 'unknown', { reason }));
  }
  return undefined;
}

/**
 * Returns a mandate's approval in the same form as an approval by token. The broker is accessed with the person's
 * latest session, which is initially the proposer's. After a restart, there is no session until one of the person's
 * clients calls. Brokers with stored key pairs need no session.
 */
function mandateApproval(session: Proposer | undefined, proposal: StoredProposal, mandate: string): Approval {
  const { sub, client, subjectId, deadline } = proposal;
  return {
    sub,
    proposer: approvalParties(proposal).proposer,
    clientId: session?.clientId ?? client,
    mandate,
    jti: `m:${mandate}:${subjectId}`,
    authorizationDetails: undefined,
    accessToken: session?.accessToken ?? NO_TOKEN,
    expiresAt: deadline,
  };
}

/**
 * Returns whether an approval that was refused may be accepted later, because the provider's keys are unreachable or
 * the token is not valid yet. A slow clock must not invalidate a person's approval.
 */
export function mayBeAcceptedLater({ status, code }: HttpProblem): boolean {
  return status === 503 || code === 'token_not_yet_valid';
}

export function refusedApprovalOutcome(refusal: HttpProblem): {
  readonly to: 'expired' | 'blocked';
  readonly reason: ProposalReason;
} {
  return refusal.code === 'token_expired'
    ? { to: 'expired', reason: { code: 'approval_expired', text: tokenExpiredText } }
    : { to: 'blocked', reason: toReason(refusal) };
}

export function denialFacts({ sub, proposedBy = sub, client, kind, subjectId }: StoredProposal) {
  return { sub, owner: sub, proposer: proposedBy, client, kind, subjectId, stage: 'order' } as const;
}

function approvalParties({
  sub,
  proposedBy,
  second,
  client,
  createdAt,
  membership,
  policy,
}: StoredProposal): Required<Pick<Approval, 'proposer' | 'approvers' | 'policy'>> {
  return {
    proposer: { sub: proposedBy ?? sub, client, at: createdAt, membership },
    approvers: second === undefined ? [sub] : [sub, second],
    policy,
  };
}

/**
 * Verifies one person's approval: the token is that person's, covers exactly the proposal's details and, if signatures
 * are required, is signed by the person's own key.
 * @param time `isFirst` is true if the approval has not been acted on yet. In this case, the token must not have
 *   expired. The exception is an owner's approval that waited for a second approver: its token was verified when it
 *   arrived
 * @throws {HttpProblem}
 */
export async function verifyApprovalToken(
  parts: KernelDeps,
  proposal: StoredProposal,
  of: 'owner' | 'second',
  { isFirst }: { readonly isFirst: boolean },
): Promise<Approval> {
  const { moves, verifyApproval, details, signatures } = parts;
  const { sub, second, proposedBy, state } = proposal;
  const who = of === 'owner' ? sub : second;
  const token = await moves.token(proposal, of);
  if (token === undefined) throw new HttpProblem(500, 'state_corrupt', 'the approval’s token is missing');
  const mayBeOver = of === 'owner' && second !== undefined && state !== 'requested';
  const approved = await verifyApproval(token, { isFirst: isFirst && !mayBeOver });
  if (approved.sub !== who) throw wrongApprover(approved.sub, { proposedBy, sub, of });
  const asked = buildCibaRequest(parts, proposal).details;
  if (details === 'rar') requireSameDetails(approved.authorizationDetails, asked);
  // Checks against the row's own details, because the token's issuer could have put anything into the token.
  await signatures?.check(asked, approved.approvalEvidence, who, { isFirst });
  return approved;
}

function wrongApprover(
  approver: string,
  { proposedBy, sub, of }: { proposedBy: string | undefined; sub: string; of: 'owner' | 'second' },
): HttpProblem {
  if (approver === proposedBy) {
    return policyDenied('APPROVAL_BY_PROPOSER', 'the proposer approved the proposal, but only the account’s owner may');
  }
  if (of === 'second' && approver === sub) {
    return policyDenied(
      'APPROVAL_NEEDS_SECOND',
      'the same person approved the proposal twice, but two people must approve it',
    );
  }
  return new HttpProblem(403, 'approved_by_another_user', 'someone else approved the proposal');
}

function policyDenied(reason: PolicyReason, detail: string): HttpProblem {
  return new HttpProblem(403, 'policy_denied', detail, {
    members: { reason, reasons: [reason] },
    challenge: {},
  });
}

/**
 * Refuses a proposal whose row was changed after it was drafted, because the person approved something else.
 * @throws {HttpProblem} 500 `state_corrupt`
 */
function requireIntact(proposal: StoredProposal): void {
  const { worstCase, requestedBy, proposedBy, codeEntry, digest } = proposal;
  const statement = {
    ...proposal,
    worst_case: worstCase,
    requested_by: requestedBy,
    proposed_by: proposedBy,
    code_entry: codeEntry,
  };
  if (proposalDigest(statement) === digest) return;
  throw new HttpProblem(
    500,
    'state_corrupt',
    'the proposal was changed after it was drafted, so it is not carried out',
  );
}

const tokenExpiredText = 'the proposal was approved, but its token expired before the gateway could carry it out';
const interruptedText =
  'the gateway was interrupted while carrying out the proposal; it looks up the outcome the next time you check';

function toReason({ code, message, options }: HttpProblem): ProposalReason {
  return { code, text: message, ...defined({ members: options.members }) };
}

function retryDelay(waits: readonly number[], tries: number): number {
  return waits[Math.min(tries, waits.length - 1)] ?? 0;
}
