import type { z } from 'zod';
import type { Membership } from '../oauth/membership.ts';
import type { ApprovalScope } from '../oauth/scopes.ts';
import type { PolicyReason } from '../trading/policy-reasons.ts';
import type { ProposalKind, WorstCase } from '../trading/proposal.ts';
import type { Refusal } from '../trading/refusal.ts';

/** The proposer, from a verified access token. */
export interface Proposer {
  readonly sub: string;
  /** Who acts for `sub`, if somebody else does. */
  readonly by?: string;
  readonly clientId: string;
  readonly membership?: Membership | undefined;
  /** Thumbprint of the key that the token is bound to (RFC 9449 `cnf.jkt`). */
  readonly jkt?: string | undefined;
  /** Only for token exchange. Never logged, stored or echoed. Empty if it is not the owner's (`NO_TOKEN`). */
  readonly accessToken: string;
}

/** The owner's approval: by the approval's verified token, or by a mandate. */
export interface Approved {
  /** `at` is milliseconds since the epoch. Absent if a token is all that is known. */
  readonly proposer?: {
    readonly sub: string;
    readonly client: string;
    readonly at: number;
    readonly membership?: Membership | undefined;
  };
  /** The owner first. */
  readonly approvers?: readonly string[];
  readonly sub: string;
  readonly clientId: string | undefined;
  /** The mandate, if nobody was asked; it is checked when the order is claimed. */
  readonly mandate?: string | undefined;
  /** The token's id, or `m:MANDATE:SUBJECT`: makes the approval usable once. */
  readonly jti: string;
  /** The approvers' `acr` claims, in the same order; '' if a token has none. */
  readonly acr?: readonly string[] | undefined;
  /** RFC 9396 §9.1, as the token has it. */
  readonly authorizationDetails: unknown;
  /** What the person's key signed (`signature/statement.ts`). */
  readonly approvalEvidence?: unknown;
  /** Under a mandate the latest session's token; empty if there is none, as after a restart. */
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Whether no other process has taken the proposal over: asked after the claim, right before something is sent. */
  readonly isOurs?: (() => Promise<boolean>) | undefined;
}

export interface UnderMandate {
  /** Its id, or any that covers the order. */
  readonly mandate: string | 'any';
  readonly slot?: string | undefined;
  /** Refuse rather than ask if no mandate covers it. */
  readonly only: boolean;
  /** Reasons to ask the owner even if a mandate covers it. */
  readonly needsTap: readonly Outside[];
}

/** A reason why no mandate covers an order. */
export interface Outside {
  readonly reason: PolicyReason;
  readonly text: string;
  readonly limit?: string;
  readonly value?: string | null;
}

/** What the person will approve. */
export interface Completed<Subject> {
  readonly subject: Subject;
  /** Unique per person: `client_order_id`, `client_message_id`. */
  readonly subjectId: string;
  readonly worstCase: WorstCase | null;
  readonly warnings: readonly string[];
  /** What the phone shows beside the subject, label to text: company name, effect on cash and position. */
  readonly shows: Readonly<Record<string, string>>;
  /** A second person must approve it after the owner. */
  readonly needsSecond?: boolean;
}

/** The outcome of carrying something out. */
export type Execution<Result> =
  | { readonly outcome: 'executed'; readonly result: Result }
  /** A definite no: nothing was done, and nothing will be. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  /** Certainly not accepted (the broker is busy, the gateway closes): may be tried again while the approval is valid. */
  | { readonly outcome: 'not_taken'; readonly refusal: Refusal }
  /** May have been accepted; `final` if that can never be found out. */
  | { readonly outcome: 'unknown'; readonly text: string; readonly final?: boolean };

/** Whether something was reported about this result, about others, or nothing yet. */
export type Heard = 'own' | 'other' | 'nothing';

/** A live stream of changes to a result. Each is a hint: the state is read separately. */
export interface ResultNews {
  /** Whether the stream is live; else the result has to be polled. */
  isStanding(): boolean;
  /**
   * Resolves with what was reported since the last call: at once if there was anything, else after `ms`. The begin and the
   * loss of the stream are reported too.
   * @throws the reason of `signal`
   */
  next(ms: number, signal: AbortSignal): Promise<Heard>;
  /** Stops listening. */
  end(): void;
}

/**
 * One kind of thing that a person may approve: a folder under `kinds/`. Everything the kernel needs to know of it.
 *
 * What it says and shows of itself is spread from its words in `trading/kinds/`.
 *
 * @example
 * ```ts
 * import type { Kind } from './kind.ts';
 * import { type Lifted, type LiftSubject, lift } from '../trading/kinds/lift.ts';
 *
 * export const liftAtOnce: Kind<object, LiftSubject, Lifted> = {
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
 *   // Called again after a crash: it must come to the same, once.
 *   execute: async () => ({ outcome: 'executed', result: { lifted_at: '2026-11-25T14:31:00Z' } }),
 *   settle: async () => undefined,
 *   resultText: () => 'trading goes on',
 * };
 * ```
 */
export interface Kind<Request = unknown, Subject = unknown, Result = unknown> {
  readonly name: ProposalKind;
  /** Of the subject in the row. */
  readonly subjectSchema: z.ZodType<Subject>;
  /** Of the result in the row. */
  readonly resultSchema: z.ZodType<Result>;
  readonly scope: ApprovalScope;
  /** The RFC 9396 type, unless the provider has its own name for it. */
  readonly detailsType: string;
  /**
   * Checks (policy included) and completes the request. Changes nothing.
   * @throws {Refusal}
   */
  complete(
    request: Request,
    context: {
      readonly proposer: Proposer;
      readonly subjectId: string;
      readonly expiresAt: string;
      readonly under?: UnderMandate | undefined;
    },
  ): Promise<Completed<Subject>>;
  /** One line, `BUY 5 AAPL LMT 180.00`: with the code, the binding message. */
  describe(subject: Subject): string;
  /** When it can no longer be carried out, RFC 3339. */
  expiresAt(subject: Subject): string;
  /** Equal for proposals that ask for the same: without identifiers, times and momentary prices. */
  fingerprint(subject: Subject): string;
  /** Fetches early what the execution is decided by. Changes nothing, never throws. */
  prepare?(subject: Subject, approved: Approved): void;
  /**
   * Carries it out exactly once, however often it is called: a repeat is answered from the journal, settled by a lookup, or
   * sent if that is safe. Does not throw for external failures.
   */
  execute(subject: Subject, approved: Approved): Promise<Execution<Result>>;
  /**
   * Looks up an unknown outcome with any token of the person's; sends nothing. Undefined if it was never handed over, so that
   * nothing can have come of it yet.
   */
  settle(subject: Subject, asker: Proposer): Promise<Execution<Result> | undefined>;
  /** Releases what was reserved for a proposal that has ended without being carried out. Idempotent. */
  abandon?(subject: Subject, sub: string): Promise<void>;
  /** Reads the result again (a fill); undefined if nothing more will change. */
  follow?(subject: Subject, result: Result, asker: Proposer): Promise<Result | undefined>;
  /** Whether the later result reports something as placed that the earlier one did not. */
  isCorrected?(before: Result, after: Result): boolean;
  isOver?(result: Result): boolean;
  /** Undefined if there is no stream, or nothing more will change. */
  news?(subject: Subject, result: Result, asker: () => Proposer): ResultNews | undefined;
  /** One line for the phone: `filled 5 at $180.12`. */
  resultText(result: Result): string;
}
