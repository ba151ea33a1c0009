import type { ApiError } from '@alpacahq/alpaca-trade-api/rest';
import { type BrokerFailure, NotSent } from '../broker-failure.ts';
import type { FailureOf } from '../broker-requests.ts';
import { restFailure } from '../rest-client.ts';

/** Statuses with which Alpaca rejects the request itself. */
const OWN_WORD: readonly number[] = [400, 403, 404, 409, 422];

/** Only Alpaca's own `{code, message}` with such a status is a refusal; anything else proves nothing. */
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

/** For `PATCH /v2/orders/{id}`: Alpaca has no code, so the words decide. This only affects what the person reads. */
export function replacementFailureOf(error: unknown): BrokerFailure {
  const failure = failureOf(error);
  return failure.kind === 'refused' &&
    failure.reason === 'other' &&
    /not found|\bstate\b|\bstatus\b|replace|not open|no longer/i.test(failure.message)
    ? { ...failure, reason: 'not_replaceable' }
    : failure;
}

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
 * Unknown credentials, or of the other environment. Refusals of a request have a code; a proxy's page has other words.
 */
function isForbidden({ status, code, message }: ApiError): boolean {
  return status === 403 && code === undefined && message === 'forbidden.';
}

/** Alpaca has no code for these: 40010001 is any malformed request, 40310000 any forbidden one. */
function reasonOf(status: number, message: string): (BrokerFailure & { kind: 'refused' })['reason'] {
  if (status === 409 || /client[_ ]order[_ ]id/i.test(message)) return 'duplicate';
  if (status === 403 && /buying power|insufficient (balance|funds|cash)/i.test(message)) {
    return 'insufficient_funds';
  }
  return 'other';
}

/** Recognized by its fields: importing the class would load the SDK. */
function isApiError(error: unknown): error is ApiError {
  return (
    error instanceof Error && 'status' in error && typeof error.status === 'number' && 'response' in error
  );
}

function isTimeout(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError');
}
