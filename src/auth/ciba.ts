import type { ApprovalDetails } from '../trading/message-details.ts';

/** What the identity provider answered to the backchannel authentication request (CIBA Core §7.3). */
export interface BackchannelAuthentication {
  readonly authReqId: string;
  /** Absolute deadline, milliseconds since the epoch: `expires_in` counted from when the request was sent. */
  readonly expiresAt: number;
  /** Seconds between polls; 5 where the provider says nothing (CIBA Core §7.3). */
  readonly interval: number;
}

/** One poll of the token endpoint (CIBA Core §10.1, §11). Only `pending`, `slow_down` and `unreachable` may be polled again. */
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

/** Asks the person on their other device, as the confidential approval client. */
export interface ApprovalClient {
  /** @throws {TradeAgentError} `provider_unreachable`, `provider_error`, `login_required` */
  request(
    details: ApprovalDetails,
    bindingMessage: string,
    expiresIn: number,
  ): Promise<BackchannelAuthentication>;
  /**
   * One poll, long-polling where the provider does. Never throws for an answer of the provider's, only where it can't
   * be asked for a reason of this machine's own (a locked credential store): that says nothing of the approval.
   * @param expected what was asked for, where this process didn't ask itself: approved details that differ are refused
   * @param onSend called as the request goes out, from when the interval counts (CIBA Core §7.3)
   */
  poll(
    authReqId: string,
    signal: AbortSignal,
    expected?: ApprovalDetails,
    onSend?: () => void,
  ): Promise<PollResult>;
}
