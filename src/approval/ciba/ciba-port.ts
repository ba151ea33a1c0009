import type { ApprovalScope } from '../../oauth/scopes.ts';

/** The person to ask. The claims come from the proposer's verified token. */
interface Approver {
  readonly sub: string;
  /** The person's user name, for providers that identify people by user name or e-mail address instead of `sub`. */
  readonly name?: string | undefined;
  readonly email?: string | undefined;
}

/** An approval request, sent to the provider as a CIBA authentication request. */
export interface CibaRequest {
  readonly asked: Approver;
  readonly scope: ApprovalScope;
  /** The binding message (CIBA Core §7.1): at most 64 characters of `[A-Za-z0-9 +-_.,:#]`, ending in the code. */
  readonly bindingMessage: string;
  /** One RFC 9396 object, which the phone shows and the token carries. */
  readonly details: Readonly<Record<string, unknown>> & { readonly type: string };
  /** CIBA Core §7.1 `acr_values`. */
  readonly acr?: string | undefined;
  /** Seconds until the approval request expires. */
  readonly expiresIn: number;
  /** The bearer token of the provider's pings for this approval request (CIBA Core §7.1; notification-tokens.ts). */
  readonly notificationToken: string;
}

/** The provider's response to an approval request (CIBA Core §7.3). */
export interface BackchannelAuthentication {
  readonly authReqId: string;
  /** Deadline in milliseconds since the epoch: `expires_in` counted from when the request was sent. */
  readonly expiresAt: number;
  /** Seconds between polls. */
  readonly interval: number;
}

/**
 * The result of polling the token endpoint (CIBA Core §10.1, §11). Polling may continue only after `pending`,
 * `slow_down` and `unreachable`.
 */
export type PollResult =
  | { readonly status: 'approved'; readonly accessToken: string; readonly expiresAt: number }
  | { readonly status: 'pending' }
  | { readonly status: 'slow_down' }
  /** No usable response: network error, timeout, 5xx, malformed body. `retryAfter` is in seconds. */
  | { readonly status: 'unreachable'; readonly reason: string; readonly retryAfter?: number }
  | { readonly status: 'denied' }
  | { readonly status: 'expired' }
  /**
   * The request's id is unknown or already redeemed (`invalid_grant`), or the response can't be verified because the
   * provider's keys are unreachable. The person may have approved, but the approval can't be used.
   */
  | { readonly status: 'lost' }
  /** Any other error, after which polling ends. */
  | { readonly status: 'failed'; readonly error: string };

/** A proposal's outcome, to be shown on the phone. */
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
 * // Logs each approval request before it is sent.
 * export function withLog(port: CibaPort, log: (bindingMessage: string) => void): CibaPort {
 *   return {
 *     delivery: port.delivery,
 *     async request(question) {
 *       log(question.bindingMessage);
 *       return await port.request(question);
 *     },
 *     poll: (...call) => port.poll(...call),
 *     reportOutcome: (...outcome) => port.reportOutcome(...outcome),
 *   };
 * }
 * ```
 */
export interface CibaPort {
  /** `ping`: the provider calls back (CIBA Core §10.2), and polls only make up for lost pings. */
  readonly delivery: 'poll' | 'ping';
  /**
   * Sends an approval request to the provider.
   * @throws {TradeAgentError} `provider_unreachable` (`details.retryAfter`, if any, is in seconds), `provider_error`
   */
  request(question: CibaRequest): Promise<BackchannelAuthentication>;
  /**
   * Polls the token endpoint once; the provider may delay its response (long poll). Every response is a result, never
   * an error.
   * @param expected if the approved details or the person differ, the result is `failed`
   * @param onSend called when the request is sent, which is when the polling interval begins (CIBA Core §7.3)
   * @throws the reason of `signal` when it aborts
   */
  poll(
    authReqId: string,
    expected: { readonly sub: string; readonly details: CibaRequest['details']; readonly expiresAt: number },
    signal: AbortSignal,
    onSend?: () => void,
  ): Promise<PollResult>;
  /**
   * Reports the outcome to a provider that has a `backchannel_outcome_endpoint`, so that the phone hides a withdrawn
   * approval request or shows the fill. Never throws.
   * @returns false if the report has to be repeated
   */
  reportOutcome(authReqId: string, outcome: Outcome): Promise<boolean>;
}
