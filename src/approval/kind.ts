import type { z } from 'zod';
import type { Membership } from '../oauth/membership.ts';
import type { ApprovalScope } from '../oauth/scopes.ts';
import type { PolicyReason } from '../trading/policy-reasons.ts';
import type { ProposalKind, WorstCase } from '../trading/proposal.ts';
import type { Refusal } from '../trading/refusal.ts';

/** Who proposes, by a verified access token. */
export interface Proposer {
  readonly sub: string;
  /** Who acts, where `sub` is an owner that somebody else acts for. */
  readonly by?: string;
  readonly clientId: string;
  /** As whose they come, and who acts for them, where the token tells. */
  readonly membership?: Membership | undefined;
  /** Thumbprint of the key that their token is bound to (RFC 9449 `cnf.jkt`), where it is bound to one. */
  readonly jkt?: string | undefined;
  /** Only for token exchange. Never logged, stored or echoed. Empty where it is not the owner themselves (`NO_TOKEN`). */
  readonly accessToken: string;
}

/** The owner's yes: by a verified token of the approval, or by a mandate that they gave before. */
export interface Approved {
  /** Who proposed it, by which client, when (milliseconds since the epoch); left out where a token is all that is known. */
  readonly proposer?: {
    readonly sub: string;
    readonly client: string;
    readonly at: number;
    readonly membership?: Membership | undefined;
  };
  /** All who said yes, the owner first. */
  readonly approvers?: readonly string[];
  readonly sub: string;
  readonly clientId: string | undefined;
  /** By which mandate, where nobody was asked: what it is held to is looked at where the order is claimed. */
  readonly mandate?: string | undefined;
  /** The token's own id, or `m:MANDATE:SUBJECT`: what makes an approval usable once. */
  readonly jti: string;
  /** By which sign-in (claim `acr`) each of them did, in the same order; '' where their token does not tell. */
  readonly acr?: readonly string[] | undefined;
  /** RFC 9396 §9.1, as the token has it. */
  readonly authorizationDetails: unknown;
  /** What the person's own key signed, as the token has it; `signature/evidence.ts`. */
  readonly approvalEvidence?: unknown;
  /** Under a mandate the latest of their sessions' tokens; empty where none is at hand, as after a restart. */
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /**
   * Whether nobody else has taken over what this process carries out. Asked right before something is sent, and after it was
   * claimed. Left out where there is nothing to take over.
   */
  readonly isOurs?: (() => Promise<boolean>) | undefined;
}

/** Under which mandate something is asked for. */
export interface UnderMandate {
  /** Its id, or whichever covers it. */
  readonly mandate: string | 'any';
  readonly slot?: string | undefined;
  /** Refused where no mandate covers it, instead of asked. */
  readonly only: boolean;
  /** Why it takes the owner's eyes, whatever the mandate covers; empty where it does not. */
  readonly needsTap: readonly Outside[];
}

/** One thing in which an order is outside of a mandate, or of what mandates are for. */
export interface Outside {
  readonly reason: PolicyReason;
  readonly text: string;
  readonly limit?: string;
  readonly value?: string | null;
}

/** A request completed to what the person will approve. */
export interface Completed<Subject> {
  readonly subject: Subject;
  /** Unique within the person's: `client_order_id`, `client_message_id`. */
  readonly subjectId: string;
  readonly worstCase: WorstCase | null;
  readonly warnings: readonly string[];
  /** What the phone shows beside the subject: company name, effect on cash and position. Label to text. */
  readonly shows: Readonly<Record<string, string>>;
  /** The owner's yes is not enough for this one: a second person must approve it too. */
  readonly needsSecond?: boolean;
}

/** What carrying out came to. The members differ in what may follow, so none is thrown. */
export type Execution<Result> =
  | { readonly outcome: 'executed'; readonly result: Result }
  /** A definite no: nothing came of it, and nothing will. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  /** Certainly not taken (the broker is busy, the gateway closes): it may be tried again while the approval holds. */
  | { readonly outcome: 'not_taken'; readonly refusal: Refusal }
  /** It may have been taken; `final` where nobody will ever know. */
  | { readonly outcome: 'unknown'; readonly text: string; readonly final?: boolean };

/** What was told of a result: something about it, something that need not concern it, or nothing yet. */
export type Heard = 'own' | 'other' | 'nothing';

/** Somebody who tells of changes to a result as they happen. What they tell is a hint: how it stands, a look says. */
export interface ResultNews {
  /** Whether whatever happens is told now; else it has to be looked at again and again. */
  isStanding(): boolean;
  /**
   * Resolves with what was heard since it last did: at once where there was anything, after `ms` otherwise. That telling
   * begins or is lost is heard, too.
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
  /** Of the subject, as it is kept in the row. */
  readonly subjectSchema: z.ZodType<Subject>;
  /** Of the result, as it is kept in the row. */
  readonly resultSchema: z.ZodType<Result>;
  readonly scope: ApprovalScope;
  /** The RFC 9396 type, where the provider has no name of its own for it. */
  readonly detailsType: string;
  /**
   * Completes the request, after the checks that spare the person an approval which could not be carried out, policy
   * among them. Changes nothing anywhere.
   * @throws {Refusal}
   */
  complete(
    request: Request,
    context: {
      readonly proposer: Proposer;
      readonly subjectId: string;
      readonly expiresAt: string;
      /** Never where the kind's words know of no mandate. */
      readonly under?: UnderMandate | undefined;
    },
  ): Promise<Completed<Subject>>;
  /** What is proposed, in one line: `BUY 5 AAPL LMT 180.00`. The binding message is this and the code. */
  describe(subject: Subject): string;
  /** When it can no longer be carried out, RFC 3339. */
  expiresAt(subject: Subject): string;
  /** What two proposals have in common that ask for the same: all but identifiers, times and prices of the moment. */
  fingerprint(subject: Subject): string;
  /** Asks early for what carrying it out is decided by, while that is still committed. Changes nothing, fails for nobody. */
  prepare?(subject: Subject, approved: Approved): void;
  /**
   * Carries it out, exactly once however often it is called: the journal keeps what became of it, and a repeat is
   * answered from there, settled by look-up, or sent where that is safe. Never throws for what the world does.
   */
  execute(subject: Subject, approved: Approved): Promise<Execution<Result>>;
  /**
   * What became of one of unknown outcome, asked with whatever token of the person's is at hand; sends nothing.
   * `unknown` while nobody knows; undefined where it was never handed over, so that nothing can have come of it yet.
   */
  settle(subject: Subject, asker: Proposer): Promise<Execution<Result> | undefined>;
  /** The proposal has ended, and nothing of it will be carried out: whatever was kept ready for it is given up. Safe to repeat. */
  abandon?(subject: Subject, sub: string): Promise<void>;
  /** A later look at what came of it (a fill), with the same token; undefined where nothing more will change. */
  follow?(subject: Subject, result: Result, asker: Proposer): Promise<Result | undefined>;
  /** Whether a result says of something that it was placed which the result before said was not. */
  isCorrected?(before: Result, after: Result): boolean;
  /** Whether nothing more will change of it. */
  isOver?(result: Result): boolean;
  /** Who tells when it is worth a look; undefined where nobody does, or nothing more will change. */
  news?(subject: Subject, result: Result, asker: () => Proposer): ResultNews | undefined;
  /** One line for the phone once it was carried out: `filled 5 at $180.12`. */
  resultText(result: Result): string;
}
