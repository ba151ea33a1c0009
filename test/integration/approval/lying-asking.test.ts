import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CibaApprovalClient, type CibaApprovalClientOptions } from '../../../src/approval/ciba/ciba-approval-client.ts';
import type { CibaRequest } from '../../../src/approval/ciba/ciba-port.ts';
import { badIdTokens } from '../auth/bad-id-tokens.ts';
import { hastyClock } from '../auth/identity-provider-world.ts';
import { type Lies, type LyingProvider, startLyingProvider } from '../auth/lying-provider.ts';
import { aQuestion, GATEWAY, optionsFor, soon } from './asking-fixture.ts';

let provider: LyingProvider;
beforeEach(async () => {
  provider = await startLyingProvider();
});
afterEach(() => provider.close());

const lie = (lies: Lies) => Object.assign(provider.lies, lies);

async function approval(change: Partial<CibaApprovalClientOptions> = {}, question: Partial<CibaRequest> = {}) {
  const asking = new CibaApprovalClient(optionsFor(provider, change));
  const asked = aQuestion(GATEWAY, question);
  const request = await asking.request(asked);
  const expected = { sub: 'alice', details: asked.details, expiresAt: request.expiresAt };
  return {
    asking,
    request,
    details: asked.details,
    poll: (onSend?: () => void) => asking.poll(request.authReqId, expected, soon(), onSend),
  };
}

describe('a question', () => {
  it('names person, scope, audience, details and how long it may take, and asks for no call back', async () => {
    const { details } = await approval();
    expect(provider.backchannelForms).toEqual([
      {
        client_id: 'approval',
        client_assertion: expect.any(String),
        client_assertion_type: expect.any(String),
        scope: 'openid orders:write',
        login_hint: 'alice',
        binding_message: expect.stringMatching(/^BUY 5 AAPL/),
        requested_expiry: '300',
        authorization_details: JSON.stringify([details]),
        resource: GATEWAY,
      },
    ]);
  });

  it('proves who asks by the gateway’s key, made out to the issuer', async () => {
    await approval();
    const assertion = String(provider.backchannelForms[0]?.client_assertion);
    expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: 'ES256', kid: 'gateway-key' });
    expect(decodeJwt(assertion)).toMatchObject({ iss: 'approval', sub: 'approval', aud: provider.issuer });
  });

  it('asks for a sign-in where one is wanted (CIBA Core §7.1)', async () => {
    await approval({}, { acr: 'phr' });
    expect(provider.backchannelForms[0]).toMatchObject({ acr_values: 'phr' });
  });

  it('carries no details where the provider takes none', async () => {
    await approval({ details: 'message' });
    expect(provider.backchannelForms[0]).not.toHaveProperty('authorization_details');
  });

  it('carries a token for the call back where the provider calls', async () => {
    await approval({ delivery: 'ping' });
    expect(provider.backchannelForms[0]).toMatchObject({
      client_notification_token: 'notification-token-of-the-test',
    });
  });

  it('is put as the provider’s dialect has it: Keycloak finds people by name, and takes no spaces', async () => {
    await approval({ provider: 'keycloak', details: 'message' }, { asked: { sub: 'f:1:2', name: 'alice' } });
    expect(provider.backchannelForms[0]).toMatchObject({
      login_hint: 'alice',
      binding_message: expect.stringMatching(/^BUY_5_AAPL[^ ]*$/),
      audience: GATEWAY,
    });
  });

  it('is put as Auth0 has it where the metadata is Auth0’s, and for no longer than a push may take', async () => {
    const mfa_challenge_endpoint = `${provider.issuer}/mfa/challenge`;
    lie({ metadata: (metadata) => ({ ...metadata, mfa_challenge_endpoint }) });
    await approval({}, { expiresIn: 3600 });
    const form = provider.backchannelForms[0];
    expect(JSON.parse(String(form?.login_hint))).toMatchObject({ format: 'iss_sub', sub: 'alice' });
    expect(form?.requested_expiry).toBe('300');
  });

  it('rings no phone where the provider could never put the details into the token', async () => {
    await expect(approval({ provider: 'keycloak' })).rejects.toMatchObject({
      code: 'provider_error',
      hint: expect.stringContaining('details: message'),
    });
    expect(provider.backchannelRequests()).toBe(0);
  });

  it.each([['auth_req_id'], ['expires_in']])('can’t be waited for without %s', async (name) => {
    lie({ backchannel: ({ [name]: _, ...answer }) => answer });
    await expect(approval()).rejects.toMatchObject({ code: 'provider_error' });
  });

  it('is asked about every five seconds where the provider names no interval', async () => {
    expect((await approval()).request.interval).toBe(5);
    lie({ backchannel: (answer) => ({ ...answer, interval: 1.5 }) });
    expect((await approval()).request.interval).toBe(2);
  });

  it('that is refused since the client is unknown says what to register', async () => {
    const refuse = () => Response.json({ error: 'invalid_client' }, { status: 401 });
    lie({ instead: { '/backchannel': refuse } });
    await expect(approval()).rejects.toMatchObject({
      code: 'provider_error',
      message: expect.stringContaining('approval'),
      hint: expect.stringContaining('gateway key'),
    });
  });

  it('hears when the provider wants to be left alone', async () => {
    const busy = () => new Response('', { status: 429, headers: { 'retry-after': '9' } });
    lie({ instead: { '/backchannel': busy } });
    await expect(approval()).rejects.toMatchObject({
      code: 'provider_unreachable',
      details: { retryAfter: 9 },
    });
  });
});

describe('an approval', () => {
  it('is accepted from the provider when it tells the truth, its token bound to no key', async () => {
    const { poll } = await approval();
    expect(await poll()).toMatchObject({ status: 'approved', accessToken: 'planted-access-token-4242' });
  });

  it.each(badIdTokens)('is refused with an ID token %s', async (_, lies) => {
    const { poll } = await approval();
    lie(await lies(provider));
    const result = await poll();
    expect(result).toMatchObject({ status: 'failed' });
    expect(JSON.stringify(result)).not.toMatch(/planted-|auth-req-id/);
  });

  it('of another user is refused', async () => {
    const { poll } = await approval();
    lie({ claims: (claims) => ({ ...claims, sub: 'mallory' }) });
    expect(await poll()).toEqual({ status: 'failed', error: 'approved_by_another_user' });
  });

  it('of another request is refused', async () => {
    const { poll } = await approval();
    lie({ claims: (claims) => ({ ...claims, 'urn:openid:params:jwt:claim:auth_req_id': 'another' }) });
    expect(await poll()).toEqual({ status: 'failed', error: 'invalid_id_token' });
  });

  it('that can’t be checked, since the keys are out of reach, is lost: it says nothing against the approval', async () => {
    const { poll } = await approval();
    lie({ brokenKeys: 3 });
    expect(await poll()).toEqual({ status: 'lost' });
  });

  it('without an ID token is accepted where the access token carries the details', async () => {
    const { poll } = await approval();
    lie({ token: ({ id_token: _, ...answer }) => answer });
    expect(await poll()).toMatchObject({ status: 'approved' });
  });

  it('without an ID token is refused where nothing else says what it answers', async () => {
    const { poll } = await approval({ details: 'message' });
    lie({ token: ({ id_token: _, ...answer }) => answer });
    expect(await poll()).toEqual({ status: 'failed', error: 'id_token_missing' });
  });

  it('without details is accepted: the gateway reads them in the access token', async () => {
    for (const details of ['rar', 'message'] as const) {
      const { poll } = await approval({ details });
      expect(await poll()).toMatchObject({ status: 'approved' });
    }
  });

  it('with details that nobody asked for is refused', async () => {
    const { poll } = await approval({ details: 'message' });
    lie({ token: (answer) => ({ ...answer, authorization_details: [{ type: 'payment' }] }) });
    expect(await poll()).toEqual({ status: 'failed', error: 'authorization_details_mismatch' });
  });

  it.each<[string, (details: object) => unknown]>([
    ['of another quantity', (details) => [{ ...details, qty: '500' }]],
    ['with a field more', (details) => [{ ...details, note: 'x' }]],
    ['for two orders', (details) => [details, details]],
    ['for no order', () => []],
    ['that are no list', (details) => details],
  ])('with details %s is refused', async (_, change) => {
    const { poll, details } = await approval();
    lie({ token: (answer) => ({ ...answer, authorization_details: change(details) }) });
    expect(await poll()).toEqual({ status: 'failed', error: 'authorization_details_mismatch' });
  });

  it('without an access token is refused', async () => {
    const { poll } = await approval();
    lie({ token: ({ access_token: _, ...answer }) => answer });
    expect(await poll()).toEqual({ status: 'failed', error: 'invalid_response' });
  });

  it.each<[string, number, string, object]>([
    ['authorization_pending', 400, '{"error":"authorization_pending"}', { status: 'pending' }],
    ['slow_down', 400, '{"error":"slow_down"}', { status: 'slow_down' }],
    ['access_denied', 400, '{"error":"access_denied"}', { status: 'denied' }],
    ['expired_token', 400, '{"error":"expired_token"}', { status: 'expired' }],
    ['invalid_grant', 400, '{"error":"invalid_grant"}', { status: 'lost' }],
    ['invalid_client', 401, '{"error":"invalid_client"}', { status: 'lost' }],
    ['invalid_request', 400, '{"error":"invalid_request"}', { status: 'failed', error: 'invalid_request' }],
    ['an error that is no word', 400, '{"error":"\\u001b[31m boo"}', { status: 'failed', error: 'unknown_error' }],
    [
      'server_error',
      500,
      '{"error":"server_error"}',
      { status: 'unreachable', reason: 'it responded with HTTP status 500' },
    ],
    [
      'half a body',
      200,
      '{"access_token":"planted-acc',
      { status: 'unreachable', reason: 'its response was not JSON' },
    ],
    ['a page', 502, '<html>', { status: 'unreachable', reason: 'it responded with HTTP status 502' }],
    [
      'a firewall’s no',
      403,
      '{"message":"Forbidden"}',
      { status: 'unreachable', reason: 'it responded with HTTP status 403' },
    ],
  ])('answered with %s is told apart', async (_, status, body, expected) => {
    const { poll } = await approval();
    lie({ tokenError: { status, body } });
    expect(await poll()).toEqual(expected);
  });

  it('hears how long the provider wants to be left alone', async () => {
    const { poll } = await approval();
    lie({ tokenError: { status: 429, body: '{}', headers: { 'retry-after': '9' } } });
    expect(await poll()).toMatchObject({ status: 'unreachable', retryAfter: 9 });
  });

  it('that ran out is expired also where the provider calls it denied', async () => {
    let now = Date.now();
    const { poll } = await approval({ clock: { ...hastyClock, now: () => now } });
    lie({ tokenError: { status: 400, body: '{"error":"access_denied"}' } });
    now += 300_000;
    expect(await poll()).toEqual({ status: 'expired' });
  });

  it('says when its poll was sent, and is waited for no longer once the caller stops', async () => {
    const { asking, request, details } = await approval();
    const stop = new AbortController();
    let sent = 0;
    lie({ beforeToken: () => new Promise(() => stop.abort(new Error('enough'))) });
    const poll = asking.poll(
      request.authReqId,
      { sub: 'alice', details, expiresAt: request.expiresAt },
      stop.signal,
      () => sent++,
    );
    await expect(poll).rejects.toThrow('enough');
    expect(sent).toBe(1);
  });

  it('is given up for this poll when the provider holds it too long', async () => {
    lie({ beforeToken: () => new Promise(() => {}) });
    const { poll } = await approval({ pollTimeoutSeconds: 0.2 });
    expect(await poll()).toEqual({ status: 'unreachable', reason: 'it did not respond in time' });
  });

  it('is unreachable, not over, while the provider’s metadata can’t be had', async () => {
    let now = Date.now();
    const { poll } = await approval({ clock: { ...hastyClock, now: () => now } });
    now += 2 * 3600 * 1000;
    lie({ instead: { '/.well-known/openid-configuration': () => new Response('', { status: 503 }) } });
    expect(await poll()).toMatchObject({ status: 'unreachable' });
    const elsewhere = () => Response.json({ issuer: 'https://evil.example' });
    lie({ instead: { '/.well-known/openid-configuration': elsewhere } });
    expect(await poll()).toMatchObject({ status: 'unreachable' });
  });

  it.each([302, 307, 308])('is not fetched from where a redirect (%s) leads', async (status) => {
    const { poll } = await approval();
    lie({ tokenError: { status, body: '', headers: { location: `${provider.issuer}/elsewhere` } } });
    expect(await poll()).toMatchObject({ status: 'failed' });
    expect(provider.elsewhere()).toBe(0);
  });

  it('of 100 MB does not fill the memory', async () => {
    const { poll } = await approval();
    const long = { 'content-type': 'application/json', 'content-length': String(100 * 1024 * 1024) };
    lie({ instead: { '/token': () => new Response(new ReadableStream(), { headers: long }) } });
    expect(await poll()).toEqual({ status: 'failed', error: 'invalid_response' });
  });
});
