import { describe, expect, it } from 'vitest';
import {
  classifyProviderFailure,
  retryAfterSeconds,
  toProviderError,
} from '../../../../src/auth/provider/provider-failure.ts';
import { findClosestMatch } from '../../../../src/text/closest-match.ts';

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.cGxhbnRlZA.c2lnbmF0dXJl';

describe('a provider’s failure', () => {
  it('never carries a token from the library’s error, in any property', () => {
    const response = new Response(null, { status: 400 });
    const error = Object.assign(new Error(TOKEN), {
      code: 'OAUTH_RESPONSE_BODY_ERROR',
      error: 'invalid_request',
      error_description: `the token ${TOKEN}\u001b[31m is bad`,
      cause: { access_token: TOKEN },
      response,
    });
    const wrapped = toProviderError(classifyProviderFailure(error), 'the sign-in failed', 'https://id.example');
    const everything = `${wrapped.stack} ${wrapped.message} ${wrapped.hint} ${JSON.stringify(wrapped.details)} ${String(wrapped.cause)}`;
    expect(everything).not.toContain(TOKEN);
    expect(everything).not.toContain('\u001b');
    expect(wrapped.message).toContain('invalid_request');
  });

  it('is unreachable for 5xx and 429, with the wait the server asked for', () => {
    const response = new Response(null, { status: 503, headers: { 'retry-after': '7' } });
    const error = Object.assign(new Error('x'), { code: 'OAUTH_RESPONSE_IS_NOT_CONFORM', cause: response });
    expect(classifyProviderFailure(error)).toMatchObject({ kind: 'unreachable', retryAfter: 7 });
  });

  it('is unreachable for a network error, invalid for a library’s complaint about the answer', () => {
    const network = new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    expect(classifyProviderFailure(network)).toMatchObject({
      kind: 'unreachable',
      reason: 'no connection (ECONNREFUSED)',
    });
    expect(classifyProviderFailure(Object.assign(new Error('x'), { code: 'OAUTH_INVALID_RESPONSE' }))).toMatchObject({
      kind: 'invalid',
    });
    expect(classifyProviderFailure('nonsense')).toMatchObject({ kind: 'invalid' });
  });

  it('reads Retry-After as seconds and as a date, within an hour', () => {
    const at = (value: string) => new Response(null, { headers: { 'retry-after': value } });
    const now = Date.parse('2026-11-24T10:00:00Z');
    expect(retryAfterSeconds(at('12'), now)).toBe(12);
    expect(retryAfterSeconds(at('Tue, 24 Nov 2026 10:00:30 GMT'), now)).toBe(30);
    expect(retryAfterSeconds(at('999999'), now)).toBe(3600);
    expect(retryAfterSeconds(at('soon'), now)).toBeUndefined();
  });
});

describe('the closest match', () => {
  it.each([
    ['gatway', 'gateway'],
    ['isseur', 'issuer'],
    ['ENVIRONMENT', 'environment'],
  ])('of %s is %s', (typed, meant) => {
    expect(findClosestMatch(typed, ['issuer', 'gateway', 'environment'])).toBe(meant);
  });
  it('is none for something else altogether', () => {
    expect(findClosestMatch('color', ['issuer', 'gateway'])).toBeUndefined();
  });
});
