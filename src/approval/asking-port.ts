import type { ApprovalScope } from '../oauth/scopes.ts';

/** Who is to be asked: the owner, as the proposer's verified token names them. */
interface Asked {
  readonly sub: string;
  /** For providers that find people by name rather than by `sub`. */
  readonly name?: string | undefined;
  readonly email?: string | undefined;
}

/** One question for the owner's phone. */
export interface Question {
  readonly asked: Asked;
  readonly scope: ApprovalScope;
  /** At most 64 characters of `[A-Za-z0-9 +-_.,:#]`, ending in the code. */
  readonly bindingMessage: string;
  /** One RFC 9396 object: all that the phone shows and the token carries. */
  readonly details: Readonly<Record<string, unknown>> & { readonly type: string };
  /** By which sign-in they are to approve (CIBA Core §7.1 `acr_values`); undefined where any will do. */
  readonly acr?: string | undefined;
  /** Seconds from now. */
  readonly expiresIn: number;
  /** For providers that call back (CIBA Core §7.1, ping): one for each question (notification-tokens.ts). */
  readonly notificationToken: string;
}

/** What the identity provider answered to a question (CIBA Core §7.3). */
export interface BackchannelAuthentication {
  readonly authReqId: string;
  /** Absolute deadline, milliseconds since the epoch: `expires_in` counted from when the request was sent. */
  readonly expiresAt: number;
  /** Seconds between polls; 5 where the provider says nothing. */
  readonly interval: number;
}

/**
 * One poll of the token endpoint (CIBA Core §10.1, §11). Only `pending`, `slow_down` and `unreachable` may be polled
 * again.
 */
export type PollResult =
  | { readonly status: 'approved'; readonly accessToken: string; readonly expiresAt: number }
  | { readonly status: 'pending' }
  | { readonly status: 'slow_down' }
  /** No usable answer: network, time-out, 5xx, malformed body. `retryAfter` in seconds where the server said so. */
  | { readonly status: 'unreachable'; readonly reason: string; readonly retryAfter?: number }
  | { readonly status: 'denied' }
  | { readonly status: 'expired' }
  /**
   * The id is no longer known or was already redeemed (`invalid_grant`), or the answer can't be checked since the
   * provider's keys are out of reach: approved perhaps, but of no use.
   */
  | { readonly status: 'lost' }
  /** Any other error: never polled again. */
  | { readonly status: 'failed'; readonly error: string };

/** What became of a question's proposal, for the phone to show. */
export interface Outcome {
  readonly state: 'executing' | 'executed' | 'cancelled' | 'expired' | 'blocked' | 'unknown';
  /** One line for the person: `filled 5 at $180.12`, `withdrawn`, `price moved`. */
  readonly text: string;
}

/**
 * How the owner is asked: the gateway's confidential CIBA client.
 */
export interface Asking {
  /** `ping`: the provider calls back when it knows (CIBA Core §10.2), and polls are for calls that got lost. */
  readonly delivery: 'poll' | 'ping';
  /** @throws {TradeAgentError} `provider_unreachable` (with `details.retryAfter`, seconds, where told), `provider_error` */
  request(question: Question): Promise<BackchannelAuthentication>;
  /**
   * One poll, long-polling where the provider does. Never throws for an answer of the provider's.
   * @param expected what was asked for: approved details or a person that differ are `failed`
   * @param onSend called as the request goes out, from when the interval counts (CIBA Core §7.3)
   * @throws the reason of `signal` when it aborts
   */
  poll(
    authReqId: string,
    expected: { readonly sub: string; readonly details: Question['details']; readonly expiresAt: number },
    signal: AbortSignal,
    onSend?: () => void,
  ): Promise<PollResult>;
  /**
   * Tells the provider what became of it, where it listens (metadata `backchannel_outcome_endpoint`): a withdrawn
   * question goes away, and after the tap the phone shows the fill. Never throws.
   * @returns whether it knows, or does not listen; false where it is to be told again
   */
  tell(authReqId: string, outcome: Outcome): Promise<boolean>;
}
