import { TradeAgentError } from '../../errors/errors.ts';
import { isResponseTooLarge } from '../../net/bounded-fetch.ts';
import { defined } from '../../values/defined.ts';

/**
 * A failed request to the identity provider, described by facts that are safe to display. The OAuth libraries' own
 * errors never leave this file, because their `cause` contains entire response bodies with tokens.
 */
export type ProviderFailure =
  /** No usable response: network error, timeout, 5xx, 429, or an unreadable body. `retryAfter` is in seconds. */
  | { readonly kind: 'unreachable'; readonly reason: string; readonly retryAfter?: number }
  /** An OAuth error response (RFC 6749 §5.2). */
  | { readonly kind: 'oauth'; readonly error: string; readonly description: string | undefined }
  /**
   * A response that breaks the protocol or must not be trusted. `status` is set if the response was neither a success
   * nor an OAuth error.
   */
  | { readonly kind: 'invalid'; readonly reason: string; readonly status?: number };

/** Reasons why the provider is unreachable, by error code (of the OAuth libraries) or error name (of the runtime). */
const unreachableReasons = new Map<unknown, string>([
  ['OAUTH_TIMEOUT', 'it did not respond in time'],
  ['TimeoutError', 'it did not respond in time'],
  ['OAUTH_ABORT', 'the request was aborted'],
  ['AbortError', 'the request was aborted'],
  ['OAUTH_PARSE_ERROR', 'its response was not JSON'],
  ['OAUTH_RESPONSE_IS_NOT_JSON', 'its response was not JSON'],
]);

/** Classifies an error thrown by openid-client, oauth4webapi, jose or fetch. */
export function classifyProviderFailure(error: unknown): ProviderFailure {
  if (isResponseTooLarge(error)) return { kind: 'invalid', reason: 'its response was too long' };
  const { name, code, cause, error: oauthError, error_description, response = cause } = asRecord(error);
  if (response instanceof Response && isOverloaded(response, oauthError)) return overloadFailure(response);
  if (typeof oauthError === 'string') {
    return {
      kind: 'oauth',
      error: /^[\w.:-]{1,64}$/.test(oauthError) ? oauthError : 'unknown_error',
      description: sanitizeDescription(error_description),
    };
  }
  if (response instanceof Response && code === 'OAUTH_RESPONSE_IS_NOT_CONFORM') {
    const { status } = response;
    return { kind: 'invalid', reason: `it responded with HTTP status ${status}`, status };
  }
  const reason = unreachableReasons.get(code) ?? unreachableReasons.get(name);
  if (reason !== undefined) return { kind: 'unreachable', reason };
  // A network error from fetch is a TypeError without a code. The libraries' argument errors are TypeErrors with a
  // code.
  if (error instanceof TypeError && code === undefined) {
    const network = asRecord(cause).code;
    return {
      kind: 'unreachable',
      reason: typeof network === 'string' ? `no connection (${network})` : 'no connection',
    };
  }
  return {
    kind: 'invalid',
    reason: `its response was rejected (${typeof code === 'string' ? code : 'invalid'})`,
  };
}

/**
 * Returns whether the provider is overloaded. Auth0 sometimes sends `slow_down` and `authorization_pending` with status
 * 429, although Auth0 is not overloaded.
 */
function isOverloaded({ status }: Response, oauthError: unknown): boolean {
  const isAnswer = ['slow_down', 'authorization_pending'].includes(String(oauthError));
  return status >= 500 || (status === 429 && !isAnswer);
}

function overloadFailure(response: Response): ProviderFailure {
  const { status } = response;
  const retryAfter = retryAfterSeconds(response);
  const wait = retryAfter === undefined ? '' : `; retry in ${retryAfter} s`;
  return {
    kind: 'unreachable',
    reason: status === 429 ? `too many requests${wait}` : `it responded with HTTP status ${status}`,
    ...defined({ retryAfter }),
  };
}

/**
 * Converts the failure to a TradeAgentError. `details.retryAfter` (seconds) is set if the provider asked us to wait.
 * @param what the failed request, such as "the sign-in could not be started"
 */
export function toProviderError(failure: ProviderFailure, what: string, issuer: string): TradeAgentError {
  if (failure.kind === 'unreachable') {
    return new TradeAgentError('provider_unreachable', `${what}: ${issuer} can't be reached (${failure.reason})`, {
      hint: 'Check the network, then try again. Nothing was lost.',
      ...(failure.retryAfter === undefined ? {} : { details: { retryAfter: failure.retryAfter } }),
    });
  }
  if (failure.kind === 'oauth') {
    const { error, description } = failure;
    return new TradeAgentError(
      'provider_error',
      `${what}: the identity provider responded with ${error}${description === undefined ? '' : ` (${description})`}`,
      { hint: `Check the profile's issuer and clients at ${issuer}.`, details: { error } },
    );
  }
  return new TradeAgentError('provider_error', `${what}: ${failure.reason}`, {
    hint: `Check that ${issuer} is the right identity provider.`,
  });
}

/**
 * Returns `Retry-After` in seconds, in either form (RFC 9110 §10.2.3) and capped at one hour. Falls back to
 * `X-RateLimit-Reset` (seconds since the epoch), which Auth0 sends instead.
 */
export function retryAfterSeconds(response: Response, now = Date.now()): number | undefined {
  const value = response.headers.get('retry-after');
  const reset = response.headers.get('x-ratelimit-reset');
  if (value === null && (reset === null || !/^\d{10}$/.test(reset))) return undefined;
  const seconds =
    value === null
      ? Number(reset) - now / 1000
      : /^\d+$/.test(value.trim())
        ? Number(value)
        : (Date.parse(value) - now) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, Math.ceil(seconds)), 3600) : undefined;
}

/** Makes the provider's error description safe for a terminal: printable, short, and without any possible token. */
function sanitizeDescription(text: unknown): string | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  return text
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/[A-Za-z0-9_~+/=.-]{24,}/g, '…')
    .slice(0, 200);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
