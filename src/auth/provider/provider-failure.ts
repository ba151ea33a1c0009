import { TradeAgentError } from '../../errors/errors.ts';
import { isAnswerTooLong } from '../../net/bounded-fetch.ts';
import { defined } from '../../values/defined.ts';

/**
 * What went wrong with a request to the identity provider, in facts that are safe to show. The libraries' own errors
 * never go further than this file: their `cause` holds whole response bodies, tokens included.
 */
export type ProviderFailure =
  /** No usable answer: network, time-out, 5xx, 429, a body that can't be read. `retryAfter` in seconds. */
  | { readonly kind: 'unreachable'; readonly reason: string; readonly retryAfter?: number }
  /** An OAuth error response (RFC 6749 §5.2). */
  | { readonly kind: 'oauth'; readonly error: string; readonly description: string | undefined }
  /** An answer that breaks the protocol, or must not be trusted. `status` where it was neither a success nor an error of OAuth's. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly status?: number };

/** By the code of the libraries' errors, and the name of the runtime's. */
const unanswered = new Map<unknown, string>([
  ['OAUTH_TIMEOUT', 'it did not answer in time'],
  ['TimeoutError', 'it did not answer in time'],
  ['OAUTH_ABORT', 'the request was cut off'],
  ['AbortError', 'the request was cut off'],
  ['OAUTH_PARSE_ERROR', 'its answer was not JSON'],
  ['OAUTH_RESPONSE_IS_NOT_JSON', 'its answer was not JSON'],
]);

/** Sorts what openid-client, oauth4webapi, jose or fetch threw. */
export function providerFailure(error: unknown): ProviderFailure {
  if (isAnswerTooLong(error)) return { kind: 'invalid', reason: 'its answer was too long' };
  const { name, code, cause, error: oauthError, error_description, response = cause } = asRecord(error);
  if (response instanceof Response && isOverloaded(response, oauthError)) return overloaded(response);
  if (typeof oauthError === 'string') {
    return {
      kind: 'oauth',
      error: /^[\w.:-]{1,64}$/.test(oauthError) ? oauthError : 'unknown_error',
      description: presentable(error_description),
    };
  }
  if (response instanceof Response && code === 'OAUTH_RESPONSE_IS_NOT_CONFORM') {
    const { status } = response;
    return { kind: 'invalid', reason: `it answered with HTTP status ${status}`, status };
  }
  const reason = unanswered.get(code) ?? unanswered.get(name);
  if (reason !== undefined) return { kind: 'unreachable', reason };
  // fetch's own network error; argument errors of the libraries are TypeErrors too, but carry a code.
  if (error instanceof TypeError && code === undefined) {
    const network = asRecord(cause).code;
    return {
      kind: 'unreachable',
      reason: typeof network === 'string' ? `no connection (${network})` : 'no connection',
    };
  }
  return {
    kind: 'invalid',
    reason: `its answer was refused (${typeof code === 'string' ? code : 'invalid'})`,
  };
}

/** Auth0 sends slow_down and authorization_pending with 429 at times: an answer, not a failure. */
function isOverloaded({ status }: Response, oauthError: unknown): boolean {
  const isAnswer = ['slow_down', 'authorization_pending'].includes(String(oauthError));
  return status >= 500 || (status === 429 && !isAnswer);
}

function overloaded(response: Response): ProviderFailure {
  const { status } = response;
  const retryAfter = retryAfterSeconds(response);
  const wait = retryAfter === undefined ? '' : `; it takes more in ${retryAfter} s`;
  return {
    kind: 'unreachable',
    reason: status === 429 ? `it was asked too often${wait}` : `it answered with HTTP status ${status}`,
    ...defined({ retryAfter }),
  };
}

/**
 * The failure as the program's own error. `details.retryAfter`: seconds, where the provider said when to come again.
 * @param what the request, as in "the sign-in could not be started"
 */
export function providerError(failure: ProviderFailure, what: string, issuer: string): TradeAgentError {
  if (failure.kind === 'unreachable') {
    return new TradeAgentError(
      'provider_unreachable',
      `${what}: ${issuer} can't be reached (${failure.reason})`,
      {
        hint: 'Check the network, then try again. Nothing was lost.',
        ...(failure.retryAfter === undefined ? {} : { details: { retryAfter: failure.retryAfter } }),
      },
    );
  }
  if (failure.kind === 'oauth') {
    const { error, description } = failure;
    return new TradeAgentError(
      'provider_error',
      `${what}: the identity provider answered ${error}${description === undefined ? '' : ` (${description})`}`,
      { hint: `Check the profile's issuer and clients at ${issuer}.`, details: { error } },
    );
  }
  return new TradeAgentError('provider_error', `${what}: ${failure.reason}`, {
    hint: `Check that ${issuer} is the right identity provider.`,
  });
}

/**
 * `Retry-After` in seconds, both its forms (RFC 9110 §10.2.3), at most an hour; where there is none, what Auth0 says
 * instead: `X-RateLimit-Reset`, seconds since the epoch.
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

/** A text of the provider's fit for a terminal: printable, short, and without anything long enough to be a token. */
function presentable(text: unknown): string | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  return text
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/[A-Za-z0-9_~+/=.-]{24,}/g, '…')
    .slice(0, 200);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
