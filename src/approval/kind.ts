import type { z } from 'zod';
import type { Membership } from '../oauth/membership.ts';
import type { ApprovalScope } from '../oauth/scopes.ts';
import type { HttpProblem } from '../trading/http-problem.ts';
import type { PolicyReason } from '../trading/policy-reasons.ts';
import type { ProposalKind, Provenance, WorstCase } from '../trading/proposal.ts';

/** The proposer, from a verified access token. */
export interface Proposer {
  readonly sub: string;
  /** The person who acts on behalf of `sub`, if that is another person. */
  readonly by?: string;
  readonly clientId: string;
  readonly membership?: Membership | undefined;
  /** Thumbprint of the key that the token is bound to (RFC 9449 `cnf.jkt`). */
  readonly jkt?: string | undefined;
  /**
   * The token that is exchanged for other tokens. It has no other use, and is never logged, stored or echoed.
   * `NO_TOKEN` if the owner's token is not available.
   */
  readonly accessToken: string;
  /** Set while a proposal is being made. */
  readonly origin?: ProposalOrigin | undefined;
}

/** The facts about a proposal's origin that the rules use. */
export interface ProposalOrigin {
  /** Whether another agent of the owner made the proposal, either directly or through our client. */
  readonly isOtherAgent: boolean;
  readonly provenance: Provenance;
}

/** The owner's approval: a verified token, or a mandate. */
export interface Approval {
  /** The proposer, and when the proposal was made, in milliseconds since the epoch. Absent if only a token is known. */
  readonly proposer?: {
    readonly sub: string;
    readonly client: string;
    readonly at: number;
    readonly membership?: Membership | undefined;
  };
  /** The owner's `sub`, followed by the second approver's. */
  readonly approvers?: readonly string[];
  /** The digest of the rules under which the owner approved an order. */
  readonly policy?: string | undefined;
  readonly sub: string;
  readonly clientId: string | undefined;
  /** The mandate's id, if the owner was not asked. The mandate is checked when the order is claimed. */
  readonly mandate?: string | undefined;
  /** The token's id, or `m:MANDATE:SUBJECT`. Each value can be used only once. */
  readonly jti: string;
  /** The `acr` claims of the approvers' tokens, in the order of `approvers`; '' for a token without the claim. */
  readonly acr?: readonly string[] | undefined;
  /** The token's authorization details (RFC 9396 §9.1), unverified. */
  readonly authorizationDetails: unknown;
  /** The signature by the person's key (`signature/statement.ts`). */
  readonly approvalEvidence?: unknown;
  /** Under a mandate, the token of the person's latest session; empty if there is no session, as after a restart. */
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Returns whether no other process has taken over the proposal. Called after the claim, just before sending. */
  readonly isOurs?: (() => Promise<boolean>) | undefined;
}

export interface MandateUse {
  /** A mandate's id, or `any` for any mandate that covers the order. */
  readonly mandate: string | 'any';
  readonly slot?: string | undefined;
  /** Whether to refuse the order, instead of asking, if no mandate covers it. */
  readonly only: boolean;
  /** Reasons to ask the owner even if a mandate covers the order. */
  readonly needsTap: readonly UncoveredReason[];
}

export interface UncoveredReason {
  readonly reason: PolicyReason;
  readonly text: string;
  readonly limit?: string;
  readonly value?: string | null;
}

/** The request with all missing fields filled in, as the person will approve it. */
export interface CompletedRequest<Subject> {
  readonly subject: Subject;
  /** Unique per person, such as a `client_order_id`. */
  readonly subjectId: string;
  readonly worstCase: WorstCase | null;
  readonly warnings: readonly string[];
  /** The lines that the phone shows in addition to the subject, by label: company name, effect on cash and position. */
  readonly shows: Readonly<Record<string, string>>;
  /** Whether a second approver must also approve, after the owner. */
  readonly needsSecond?: boolean;
  /** Whether the owner must type the proposal's code on the phone (number matching), instead of comparing it. */
  readonly needsCode?: boolean;
  /** The digest of the rules that allowed an order. The order is sent only if the same rules still apply. */
  readonly policy?: string;
}

export type ExecutionOutcome<Result> =
  | { readonly outcome: 'executed'; readonly result: Result }
  /** Definitely refused: nothing was done, and nothing will be. */
  | { readonly outcome: 'refused'; readonly refusal: HttpProblem }
  /** Certainly not accepted, for example because the broker is busy. May be retried while the approval is valid. */
  | { readonly outcome: 'not_taken'; readonly refusal: HttpProblem }
  /** May have been accepted; `final` if the outcome can never be determined. */
  | { readonly outcome: 'unknown'; readonly text: string; readonly final?: boolean };

/** The change that a stream reported: to the result itself (`own`), to another result (`other`), or no change. */
export type ReportedChange = 'own' | 'other' | 'nothing';

/** A live stream of changes to a result. A report only says that something changed; the result has to be read again. */
export interface ResultChangeStream {
  /** Returns whether the stream is live. If not, the result has to be polled. */
  isLive(): boolean;
  /**
   * Resolves with what was reported since the last call: immediately if there is a report, otherwise after at most `ms`
   * milliseconds. The start and the loss of the stream count as reports.
   * @throws the reason of `signal`
   */
  next(ms: number, signal: AbortSignal): Promise<ReportedChange>;
  end(): void;
}

/**
 * One kind of proposal, with everything that the kernel needs to know about it. Each kind has a folder in `kinds/`.
 * The texts that people read are in `trading/kinds/`.
 *
 * @example
 * ```ts
 * import type { Kind } from './kind.ts';
 * import { type LiftResult, type LiftSubject, lift } from '../trading/kinds/lift.ts';
 *
 * export const liftAtOnce: Kind<object, LiftSubject, LiftResult> = {
 *   ...lift,
 *   complete: async (_request, { subjectId, expiresAt }) => ({
 *     subject: { halted_at: '2026-11-25T14:30:00Z', client_lift_id: subjectId, expires_at: expiresAt },
 *     subjectId,
 *     worstCase: null,
 *     warnings: [],
 *     shows: {},
 *   }),
 *   describe: () => 'LIFT THE HALT',
 *   expiresAt: ({ expires_at }) => expires_at,
 *   fingerprint: ({ halted_at }) => halted_at,
 *   // Called again after a crash: a repeated call must not have a second effect.
 *   execute: async () => ({ outcome: 'executed', result: { lifted_at: '2026-11-25T14:31:00Z' } }),
 *   settle: async () => undefined,
 *   resultText: () => 'trading resumed',
 * };
 * ```
 */
export interface Kind<Request = unknown, Subject = unknown, Result = unknown> {
  readonly name: ProposalKind;
  readonly subjectSchema: z.ZodType<Subject>;
  readonly resultSchema: z.ZodType<Result>;
  readonly scope: ApprovalScope;
  /** The RFC 9396 type, unless the provider has its own name for it. */
  readonly detailsType: string;
  /**
   * Validates the request, checks it against the policy, and fills in the missing fields. Has no side effects.
   * @throws {HttpProblem}
   */
  complete(
    request: Request,
    context: {
      readonly proposer: Proposer;
      readonly subjectId: string;
      readonly expiresAt: string;
      readonly under?: MandateUse | undefined;
    },
  ): Promise<CompletedRequest<Subject>>;
  /** Returns one line, such as `BUY 5 AAPL LMT 180.00`. The line and the code form the binding message. */
  describe(subject: Subject): string;
  /** Returns the time from which the proposal can no longer be executed, RFC 3339. */
  expiresAt(subject: Subject): string;
  /** Returns a string that is equal for proposals with the same terms, ignoring IDs, times and current prices. */
  fingerprint(subject: Subject): string;
  /** Prefetches the data that the execution will need. Has no side effects, never throws. */
  prepare?(subject: Subject, approved: Approval): void;
  /**
   * Executes the proposal exactly once, however often it is called: a repeated call returns the outcome from the
   * journal, looks it up, or sends again if that is safe. Does not throw for external failures.
   */
  execute(subject: Subject, approved: Approval): Promise<ExecutionOutcome<Result>>;
  /**
   * Looks up an unknown outcome with any token of the person; sends nothing. Returns undefined if the service never
   * received the proposal, which therefore has had no effect yet.
   */
  settle(subject: Subject, session: Proposer): Promise<ExecutionOutcome<Result> | undefined>;
  /** Releases what was reserved for a proposal that ended without being executed. Idempotent. */
  abandon?(subject: Subject, sub: string): Promise<void>;
  /** Reads the result again, for example a fill. Returns undefined if it can no longer change. */
  follow?(subject: Subject, result: Result, session: Proposer): Promise<Result | undefined>;
  /** Returns whether `after` says that an order was placed, although `before` said that it was not. */
  isCorrected?(before: Result, after: Result): boolean;
  isOver?(result: Result): boolean;
  /** Returns a stream of changes to the result; undefined if there is none, or the result can no longer change. */
  news?(subject: Subject, result: Result, session: () => Proposer): ResultChangeStream | undefined;
  /** Returns one line for the phone, such as `filled 5 at $180.12`. */
  resultText(result: Result, subject: Subject): string;
}
