import type { ApiError } from '@alpacahq/alpaca-trade-api/rest';
import { Refusal } from '../../../trading/refusal.ts';
import type { Submission } from '../broker.ts';

/** The SDK's error, told by its fields: its class can't be imported without loading the SDK. */
export function isApiError(error: unknown): error is ApiError {
  return (
    error instanceof Error && 'status' in error && typeof error.status === 'number' && 'response' in error
  );
}

/** A request that ran into the time limit, or one the broker never finished answering. */
function isTimeout(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError');
}

/**
 * What an error at `POST /v2/orders` proves. Only an answer in the broker's own words, `{code, message}` with a status
 * that speaks of the request, is a no; whatever else comes (5xx, 408, a proxy's page, no answer) proves nothing.
 */
export function submissionFor(error: unknown): Submission {
  if (!isApiError(error)) return { outcome: 'unknown' };
  const { status, code, message } = error;
  if (status === 401) return { outcome: 'not_taken', reason: 'unauthorized' };
  if (status === 429) return { outcome: 'not_taken', reason: 'rate_limited' };
  if (code === undefined || ![400, 403, 404, 409, 422].includes(status)) return { outcome: 'unknown' };
  const refused = { outcome: 'refused', message, brokerCode: String(code) } as const;
  // Alpaca has no code of its own for either: 40010001 is any malformed request, 40310000 any forbidden one.
  if (status === 409 || /client[_ ]order[_ ]id/i.test(message)) return { ...refused, reason: 'duplicate' };
  if (status === 403 && /buying power|insufficient (balance|funds|cash)/i.test(message)) {
    return { ...refused, reason: 'insufficient_funds' };
  }
  return { ...refused, reason: 'other' };
}

/**
 * What an error at `PATCH /v2/orders/{id}` proves. Alpaca has no code of its own for an order that can't be replaced:
 * it is told by the words, which decide only what the person reads.
 */
export function replacementFor(error: unknown): Submission {
  const submission = submissionFor(error);
  if (submission.outcome !== 'refused' || submission.reason !== 'other') return submission;
  return /not found|\bstate\b|\bstatus\b|replace|not open|no longer/i.test(submission.message)
    ? { ...submission, reason: 'not_replaceable' }
    : submission;
}

/** The refusal for a failed read, or a failed cancel: nothing of the broker's body goes out. */
export function readRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isApiError(error)) {
    const { status, retryAfterMs } = error;
    if (status === 401) {
      return new Refusal(
        409,
        'account_not_connected',
        'the broker does not accept the connection to the account',
        {
          hint: 'Connect the brokerage account again.',
          cause: error,
        },
      );
    }
    if (status === 429) {
      return new Refusal(503, 'broker_busy', 'the broker asks for fewer requests', {
        hint: 'Try again in a moment.',
        retryAfter: Math.min(60, Math.max(1, Math.ceil((retryAfterMs ?? 1000) / 1000))),
        cause: error,
      });
    }
    if ([400, 403, 404, 422].includes(status)) {
      return new Refusal(422, 'broker_rejected', `the broker does not accept the request (${status})`, {
        cause: error,
      });
    }
    return new Refusal(502, 'broker_unavailable', `the broker answers with an error (${status})`, {
      hint: 'Try again in a moment.',
      cause: error,
    });
  }
  if (isTimeout(error)) {
    return new Refusal(504, 'broker_timeout', 'the broker does not answer in time', {
      hint: 'Try again in a moment.',
      cause: error,
    });
  }
  if (error instanceof Error && error.name === 'FetchError') {
    return new Refusal(502, 'broker_unavailable', 'the broker cannot be reached', {
      hint: 'Try again in a moment.',
      cause: error,
    });
  }
  return new Refusal(502, 'broker_invalid_response', 'the broker gives an answer that makes no sense', {
    cause: error,
  });
}
