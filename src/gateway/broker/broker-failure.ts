import { HttpProblem } from '../../trading/http-problem.ts';
import type { SubmissionResult } from './broker.ts';
import { rejectedCredentialsProblem } from './stored-credential-problems.ts';
import type { CredentialKind } from './stored-kinds.ts';

/**
 * A failed request, classified by what the failure proves. `failing`, `timeout`, `unreachable` and `unreadable` prove
 * nothing: the broker may have processed the request.
 */
export type BrokerFailure =
  /** The broker rejected this exact request, so the request had no effect. */
  | {
      readonly kind: 'refused';
      /** The HTTP status, or the closest equivalent if the broker did not answer over HTTP. */
      readonly status: number;
      readonly reason: (SubmissionResult & { outcome: 'refused' })['reason'];
      /** For display only. No decision depends on the message. */
      readonly message: string;
      readonly brokerCode: string | undefined;
    }
  /** The broker did not process the request, because there were too many requests. */
  | { readonly kind: 'rate_limited'; readonly retryAfterMs: number | undefined }
  /** The credentials were rejected and the request was not processed. */
  | { readonly kind: 'unauthorized'; readonly credentials?: CredentialKind }
  /** The response is an error, but not the broker's decision about the request (5xx, 408, a proxy's error page). */
  | { readonly kind: 'failing'; readonly status: number }
  | { readonly kind: 'timeout' }
  /** No connection could be opened, or the connection was lost. */
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'unreadable' };

/** Thrown before a request is sent. The message tells the person why nothing was sent. */
export class NotSentError extends Error {
  override name = 'NotSentError';
}

const againSoon = 'Try again in a moment.';

/** Returns the problem for a failed read or cancellation. The problem contains nothing from the response's body. */
export function toReadProblem(failure: BrokerFailure, cause: unknown): HttpProblem {
  switch (failure.kind) {
    case 'unauthorized':
      if (failure.credentials !== undefined) return rejectedCredentialsProblem(failure.credentials, cause);
      return new HttpProblem(409, 'account_not_connected', 'the broker rejected the credentials for the account', {
        hint: 'Reconnect the brokerage account.',
        cause,
      });
    case 'rate_limited':
      return new HttpProblem(503, 'broker_busy', 'the broker is rate limiting requests', {
        hint: againSoon,
        retryAfter: Math.min(60, Math.max(1, Math.ceil((failure.retryAfterMs ?? 1000) / 1000))),
        cause,
      });
    case 'refused':
    case 'failing': {
      const { status } = failure;
      return [400, 403, 404, 422].includes(status)
        ? new HttpProblem(422, 'broker_rejected', `the broker rejected the request (${status})`, { cause })
        : new HttpProblem(502, 'broker_unavailable', `the broker returned an error (${status})`, {
            hint: againSoon,
            cause,
          });
    }
    case 'timeout':
      return new HttpProblem(504, 'broker_timeout', 'the broker did not respond in time', {
        hint: againSoon,
        cause,
      });
    case 'unreachable':
      return new HttpProblem(502, 'broker_unavailable', 'the broker cannot be reached', {
        hint: againSoon,
        cause,
      });
    case 'unreadable':
      return new HttpProblem(502, 'broker_invalid_response', 'the broker returned an invalid response', {
        cause,
      });
  }
}
