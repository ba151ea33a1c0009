import { isSettledState, type ProposalKind, type ProposalState } from '../../trading/proposal.ts';
import type { ProposalChange, ProposalDraft, ProposalReason, StoredProposal } from '../proposal-store.ts';
import {
  AUTH_REQ_ID_SET_CLAUSE,
  type AuthReqIdSeal,
  authReqIdContext,
  toAuthReqIdValues,
  unsealAuthReqId,
} from './auth-req-id.ts';

/** Poll interval in seconds, used if the identity provider sends no interval (CIBA Core §7.3). */
export const DEFAULT_POLL_INTERVAL_S = 5;

export interface ProposalRow {
  readonly id: string;
  readonly sub: string;
  readonly proposed_by: string | null;
  readonly second: string | null;
  readonly client: string;
  readonly username: string | null;
  readonly email: string | null;
  readonly kind: ProposalKind;
  readonly state: ProposalState;
  readonly code: string;
  readonly subject: string;
  readonly subject_id: string;
  readonly fingerprint: string;
  readonly digest: string;
  readonly nonce: string | null;
  readonly shown: string;
  readonly again: number | null;
  readonly typed: number | boolean;
  readonly created_at: number;
  readonly updated_at: number;
  readonly version: number;
  readonly deadline: number;
  readonly expires_at: number;
  readonly sealed_auth_req_id: Buffer | null;
  readonly sealed_owner_auth_req_id: Buffer | null;
  readonly poll_interval: number;
  readonly asked: number;
  readonly sealed_token: Buffer | null;
  readonly second_token: Buffer | null;
  readonly token_expires_at: number | null;
  readonly result: string | null;
  readonly reason: string | null;
}

/** The columns of {@link ProposalRow}, by name, because PostgreSQL's prepared statements can't use `*` (`toStatement`). */
export const PROPOSAL_COLUMNS = `id, sub, proposed_by, second, client, username, email, kind, state, code, subject,
  subject_id, fingerprint, digest, nonce, shown, again, typed, created_at, updated_at, version, deadline, expires_at,
  sealed_auth_req_id, sealed_owner_auth_req_id, poll_interval, asked, sealed_token, second_token, token_expires_at,
  result, reason`;

type DisplayFields = Pick<
  StoredProposal,
  'worstCase' | 'warnings' | 'shows' | 'provenance' | 'requestedBy' | 'membership' | 'trace' | 'codeEntry' | 'policy'
>;

/** Converts a row to a proposal. @param seal decrypts the row's `auth_req_id`s when they are first read */
export function toProposal(row: ProposalRow, seal: AuthReqIdSeal): StoredProposal {
  return {
    id: row.id,
    sub: row.sub,
    proposedBy: row.proposed_by ?? undefined,
    second: row.second ?? undefined,
    client: row.client,
    username: row.username ?? undefined,
    email: row.email ?? undefined,
    kind: row.kind,
    state: row.state,
    code: row.code,
    subject: JSON.parse(row.subject),
    subjectId: row.subject_id,
    fingerprint: row.fingerprint,
    digest: row.digest,
    nonce: row.nonce ?? undefined,
    ...(JSON.parse(row.shown) as DisplayFields),
    again: row.again ?? undefined,
    typed: Boolean(row.typed),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
    deadline: row.deadline,
    expiresAt: row.expires_at,
    get authReqId() {
      return unsealAuthReqId(row.sealed_auth_req_id, authReqIdContext(row.id, 'asked'), seal);
    },
    get ownerAuthReqId() {
      const context = authReqIdContext(row.id, 'owner');
      return unsealAuthReqId(row.sealed_owner_auth_req_id, context, seal);
    },
    interval: row.poll_interval,
    asked: row.asked,
    hasToken: row.sealed_token !== null,
    tokenExpiresAt: row.token_expires_at ?? undefined,
    result: row.result === null ? undefined : JSON.parse(row.result),
    reason: row.reason === null ? undefined : (JSON.parse(row.reason) as ProposalReason),
  };
}

export function toDraftValues(draft: ProposalDraft) {
  const { worstCase, warnings, shows, provenance, requestedBy, membership, trace, codeEntry, policy } = draft;
  const { id, sub, client, kind, code, subjectId, fingerprint, digest, deadline } = draft;
  return {
    id,
    sub,
    client,
    kind,
    code,
    subjectId,
    fingerprint,
    digest,
    deadline,
    proposedBy: draft.proposedBy ?? null,
    second: draft.second ?? null,
    username: draft.username ?? null,
    email: draft.email ?? null,
    nonce: draft.nonce ?? null,
    again: draft.again ?? null,
    typed: draft.typed ? 1 : 0,
    subject: JSON.stringify(draft.subject),
    shown: JSON.stringify({
      worstCase,
      warnings,
      shows,
      provenance,
      requestedBy,
      membership,
      trace,
      codeEntry,
      policy,
    }),
  };
}

/** Returns the values for updating a proposal, except its new version and the owner's token. */
export function toChangeValues(id: string, change: ProposalChange, seal: AuthReqIdSeal) {
  const { state, interval, expiresAt, asked, result, reason } = change;
  return {
    id,
    state,
    interval,
    expiresAt,
    asked,
    ...toAuthReqIdValues(id, change, seal),
    secondToken: change.secondToken ?? null,
    result: result === undefined ? null : JSON.stringify(result),
    reason: reason === undefined ? null : JSON.stringify(reason),
  };
}

/**
 * Returns the SET clause for a change.
 * @param sql expressions for the next version and for the time of the next check that the phone was notified
 */
export function toChangeClause(
  { token, state, authReqId }: ProposalChange,
  { next, notifyCheckAt }: { readonly next: string; readonly notifyCheckAt: string },
): string {
  // The phone that denied a proposal need not be notified of the denial.
  const isNotified = authReqId !== undefined && state !== 'denied';
  const due = isSettledState(state) ? `, due_at = ${isNotified ? notifyCheckAt : 'NULL'}` : '';
  return `state = @state, ${AUTH_REQ_ID_SET_CLAUSE}, poll_interval = @interval, expires_at = @expiresAt, asked = @asked,
    result = @result, reason = @reason, updated_at = @now, version = ${next}, ${tokenClause(token)}${due}`;
}

function tokenClause(token: ProposalChange['token']): string {
  if (token === 'erased') return 'second_token = NULL, sealed_token = NULL, token_expires_at = NULL';
  const second = 'second_token = coalesce(@secondToken, second_token)';
  return token === 'kept' ? second : `${second}, sealed_token = @sealed, token_expires_at = @tokenExpiresAt`;
}

export function toTokenValues(token: ProposalChange['token']) {
  return typeof token === 'string' ? {} : { sealed: token.sealed, tokenExpiresAt: token.expiresAt };
}

/** Formats an epoch, which changes with each new version of the person's proposals and when a halt begins or ends. */
export function formatEpoch(latestVersion: number, haltedAt: number | undefined): string {
  return JSON.stringify([latestVersion, haltedAt ?? null]);
}

/** Maximum expected difference between two clocks, in milliseconds. Longer than normal clock drift. */
const MAX_CLOCK_DRIFT_MS = 7_200_000;

/**
 * Returns the end of the period in which proposals count as recent, in milliseconds since the epoch. A proposal with a
 * later time was dated while the clock was ahead, and would otherwise count until the clock has caught up.
 */
export function recentProposalsEnd(since: number): number {
  return since + MAX_CLOCK_DRIFT_MS;
}
