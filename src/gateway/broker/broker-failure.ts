import { Refusal } from '../../trading/refusal.ts';
import type { Submission } from './broker.ts';
import type { KeptKind } from './kept-kinds.ts';
import { keptRefused } from './kept-refusals.ts';

/** A failed request, classified (by each broker's `failureOf`) by what it proves. */
export type BrokerFailure =
  /** The broker refused this very request: nothing came of it. */
  | {
      readonly kind: 'refused';
      /** The HTTP status, or the nearest one. */
      readonly status: number;
      readonly reason: (Submission & { outcome: 'refused' })['reason'];
      /** For people; never decides anything. */
      readonly message: string;
      readonly brokerCode: string | undefined;
    }
  /** Too many requests; this one was not processed. */
  | { readonly kind: 'rate_limited'; readonly retryAfterMs: number | undefined }
  /** The credentials are not accepted; the request was not processed. */
  | { readonly kind: 'unauthorized'; readonly credentials?: KeptKind }
  /** Not the broker's own answer to the request (5xx, 408, a proxy's page): proves nothing. */
  | { readonly kind: 'failing'; readonly status: number }
  /** Proves nothing. */
  | { readonly kind: 'timeout' }
  /** No connection, or it was lost: proves nothing. */
  | { readonly kind: 'unreachable' }
  /** Proves nothing. */
  | { readonly kind: 'unreadable' };

/** Nothing was sent; the message tells the person why. */
export class NotSent extends Error {
  override name = 'NotSent';
}

const againSoon = 'Try again in a moment.';

/** The refusal for a failed read or cancel. Nothing of the broker's body is passed on. */
export function readRefusal(failure: BrokerFailure, cause: unknown): Refusal {
  switch (failure.kind) {
    case 'unauthorized':
      if (failure.credentials !== undefined) return keptRefused(failure.credentials, cause);
      return new Refusal(
        409,
        'account_not_connected',
        'the broker does not accept the connection to the account',
        { hint: 'Connect the brokerage account again.', cause },
      );
    case 'rate_limited':
      return new Refusal(503, 'broker_busy', 'the broker asks for fewer requests', {
        hint: againSoon,
        retryAfter: Math.min(60, Math.max(1, Math.ceil((failure.retryAfterMs ?? 1000) / 1000))),
        cause,
      });
    case 'refused':
    case 'failing': {
      const { status } = failure;
      return [400, 403, 404, 422].includes(status)
        ? new Refusal(422, 'broker_rejected', `the broker does not accept the request (${status})`, { cause })
        : new Refusal(502, 'broker_unavailable', `the broker answers with an error (${status})`, {
            hint: againSoon,
            cause,
          });
    }
    case 'timeout':
      return new Refusal(504, 'broker_timeout', 'the broker does not answer in time', {
        hint: againSoon,
        cause,
      });
    case 'unreachable':
      return new Refusal(502, 'broker_unavailable', 'the broker cannot be reached', {
        hint: againSoon,
        cause,
      });
    case 'unreadable':
      return new Refusal(502, 'broker_invalid_response', 'the broker gives an answer that makes no sense', {
        cause,
      });
  }
}
