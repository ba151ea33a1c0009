import type { ApprovalScope } from '../../oauth/scopes.ts';

/** The person to ask, as the proposer's verified token names them. */
interface Approver {
  readonly sub: string;
  /** For providers that find people by name rather than by `sub`. */
  readonly name?: string | undefined;
  readonly email?: string | undefined;
}

/** An approval request. */
export interface Question {
  readonly asked: Approver;
  readonly scope: ApprovalScope;
  /** At most 64 characters of `[A-Za-z0-9 +-_.,:#]`, ending in the code. */
  readonly bindingMessage: string;
  /** One RFC 9396 object: what the phone shows and the token carries. */
  readonly details: Readonly<Record<string, unknown>> & { readonly type: string };
  /** CIBA Core §7.1 `acr_values`. */
  readonly acr?: string | undefined;
  /** Seconds from now. */
  readonly expiresIn: number;
  /** CIBA Core §7.1, for ping: a new one for each question (notification-tokens.ts). */
  readonly notificationToken: string;
}

/** The provider's answer to a question (CIBA Core §7.3). */
export interface BackchannelAuthentication {
  readonly authReqId: string;
  /** Absolute deadline, milliseconds since the epoch: `expires_in` counted from when the request was sent. */
  readonly expiresAt: number;
  /** Seconds between polls. */
  readonly interval: number;
}

/** A poll of the token endpoint (CIBA Core §10.1, §11). Only `pending`, `slow_down` and `unreachable` may be polled again. */
export type PollResult =
  | { readonly status: 'approved'; readonly accessToken: string; readonly expiresAt: number }
  | { readonly status: 'pending' }
  | { readonly status: 'slow_down' }
  /** No usable answer: network, time-out, 5xx, malformed body. `retryAfter` is seconds. */
  | { readonly status: 'unreachable'; readonly reason: string; readonly retryAfter?: number }
  | { readonly status: 'denied' }
  | { readonly status: 'expired' }
  /**
   * The id is unknown or already redeemed (`invalid_grant`), or the answer can't be verified since the provider's keys are
   * out of reach: perhaps approved, but of no use.
   */
  | { readonly status: 'lost' }
  /** Any other error: never polled again. */
  | { readonly status: 'failed'; readonly error: string };

/** A proposal's outcome, for the phone. */
export interface Outcome {
  readonly state: 'executing' | 'executed' | 'cancelled' | 'expired' | 'blocked' | 'unknown';
  /** One line for the person: `filled 5 at $180.12`, `withdrawn`, `price moved`. */
  readonly text: string;
}

/**
 * The gateway's confidential CIBA client.
 *
 * @example
 * ```ts
 * import type { CibaPort } from './ciba-port.ts';
 *
 * // Reports each question before it is sent.
 * export function withLog(port: CibaPort, log: (bindingMessage: string) => void): CibaPort {
 *   return {
 *     delivery: port.delivery,
 *     async request(question) {
 *       log(question.bindingMessage);
 *       return await port.request(question);
 *     },
 *     poll: (...call) => port.poll(...call),
 *     tell: (...outcome) => port.tell(...outcome),
 *   };
 * }
 * ```
 */
export interface CibaPort {
  /** `ping`: the provider calls back (CIBA Core §10.2), and polls make up for lost calls. */
  readonly delivery: 'poll' | 'ping';
  /** @throws {TradeAgentError} `provider_unreachable` (perhaps with `details.retryAfter`, seconds), `provider_error` */
  request(question: Question): Promise<BackchannelAuthentication>;
  /**
   * One poll, which may be a long one. Never throws for an answer.
   * @param expected if the approved details or the person differ, the result is `failed`
   * @param onSend called when the request is sent, from when the interval counts (CIBA Core §7.3)
   * @throws the reason of `signal` when it aborts
   */
  poll(
    authReqId: string,
    expected: { readonly sub: string; readonly details: Question['details']; readonly expiresAt: number },
    signal: AbortSignal,
    onSend?: () => void,
  ): Promise<PollResult>;
  /**
   * Reports the outcome to a provider that has a `backchannel_outcome_endpoint`: a withdrawn question disappears, and the phone
   * shows the fill. Never throws.
   * @returns false if it is to be reported again
   */
  tell(authReqId: string, outcome: Outcome): Promise<boolean>;
}
