import type { ApiError } from '@alpacahq/alpaca-trade-api/rest';
import { type BrokerFailure, NotSent } from '../broker-failure.ts';
import type { FailureOf } from '../broker-requests.ts';
import { restFailure } from '../rest-client.ts';

/** Statuses with which Alpaca speaks of the request itself. */
const OWN_WORD: readonly number[] = [400, 403, 404, 409, 422];

/**
 * What an error of the SDK's proves. Only an answer in the broker's own words, `{code, message}` with a status that
 * speaks of the request, is a no; whatever else comes (5xx, 408, a proxy's page, no answer) proves nothing.
 */
export function failureOf(error: unknown): BrokerFailure {
  if (error instanceof NotSent) return restFailure(error);
  if (!isApiError(error)) {
    if (isTimeout(error)) return { kind: 'timeout' };
    const lost = error instanceof Error && error.name === 'FetchError';
    return { kind: lost ? 'unreachable' : 'unreadable' };
  }
  const { status, code, message, retryAfterMs } = error;
  if (status === 401 || isForbidden(error)) return { kind: 'unauthorized' };
  if (status === 429) return { kind: 'rate_limited', retryAfterMs };
  if (code === undefined || !OWN_WORD.includes(status)) return { kind: 'failing', status };
  return { kind: 'refused', status, reason: reasonOf(status, message), message, brokerCode: String(code) };
}

/**
 * As {@link failureOf}, at `PATCH /v2/orders/{id}`. Alpaca has no code of its own for an order that can't be replaced:
 * it is told by the words, which decide only what the person reads.
 */
export function replacementFailureOf(error: unknown): BrokerFailure {
  const failure = failureOf(error);
  return failure.kind === 'refused' &&
    failure.reason === 'other' &&
    /not found|\bstate\b|\bstatus\b|replace|not open|no longer/i.test(failure.message)
    ? { ...failure, reason: 'not_replaceable' }
    : failure;
}

/** As told by another, with who is told of refused credentials, and whether they were a key pair. */
export function withCredentials(
  tell: FailureOf,
  { byKeyPair, onUnauthorized }: { readonly byKeyPair: boolean; readonly onUnauthorized: () => void },
): FailureOf {
  return (error) => {
    const failure = tell(error);
    if (failure.kind !== 'unauthorized') return failure;
    onUnauthorized();
    return byKeyPair ? { ...failure, credentials: 'key_pair' } : failure;
  };
}

/**
 * Alpaca's word for credentials that it doesn't know, or that are of its other environment: `{"message": "forbidden."}`
 * without a code, before it looks at what is asked. A no to a request has a code, a proxy's page other words.
 */
function isForbidden({ status, code, message }: ApiError): boolean {
  return status === 403 && code === undefined && message === 'forbidden.';
}

/** Alpaca has no code of its own for these: 40010001 is any malformed request, 40310000 any forbidden one. */
function reasonOf(status: number, message: string): (BrokerFailure & { kind: 'refused' })['reason'] {
  if (status === 409 || /client[_ ]order[_ ]id/i.test(message)) return 'duplicate';
  if (status === 403 && /buying power|insufficient (balance|funds|cash)/i.test(message)) {
    return 'insufficient_funds';
  }
  return 'other';
}

/** The SDK's error, told by its fields: its class can't be imported without loading the SDK. */
function isApiError(error: unknown): error is ApiError {
  return (
    error instanceof Error && 'status' in error && typeof error.status === 'number' && 'response' in error
  );
}

/** A request that ran into the time limit, or one the broker never finished answering. */
function isTimeout(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError');
}
