import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CibaApprovalClient } from '../../../src/approval/ciba/ciba-approval-client.ts';
import { openConnectedAccounts } from '../../../src/auth/connections/open-connected-accounts.ts';
import { logout } from '../../../src/auth/logout.ts';
import { getProviderMetadata } from '../../../src/auth/provider/provider.ts';
import { revokeTokens } from '../../../src/auth/provider/token-revocation.ts';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { refreshAccessToken } from '../../../src/auth/session/token-refresh.ts';
import { createIdentityProvider } from '../../../src/gateway/auth/identity-provider.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { aQuestion, optionsFor } from '../approval/asking-fixture.ts';
import { type LyingWorld, startLyingWorld } from './lying-provider.ts';

const MEBIBYTE = 1024 * 1024;

let world: LyingWorld;
beforeEach(async () => {
  world = await startLyingWorld();
});
afterEach(() => world.close());

const profileAt = (issuer: string) => ({ ...world.profile, issuer });
const soon = () => AbortSignal.timeout(20_000);

async function refresh(issuer = world.provider.issuer, timeoutSeconds = 10) {
  await world.signedIn({ issuer });
  const context = { profile: profileAt(issuer), store: world.store, clock: systemClock, sub: 'alice' };
  return await refreshAccessToken({ ...context, access: { timeoutSeconds } }, READ_SCOPES);
}

async function approval() {
  const client = { registrationFile: join(world.folder, 'registered-client.json') };
  const asking = new CibaApprovalClient(optionsFor(world.provider, { client }));
  const question = aQuestion();
  const { authReqId, expiresAt } = await asking.request(question);
  return await asking.poll(authReqId, { sub: 'alice', details: question.details, expiresAt }, soon());
}

/** The accounts elsewhere, by an API that is the provider's own. */
async function accounts() {
  const endpoint = `${world.provider.issuer}/me`;
  world.lie({ metadata: (metadata) => ({ ...metadata, connected_accounts_endpoint: endpoint }) });
  await world.signedIn();
  return (await openConnectedAccounts(world.profile, world.store, world)).accounts;
}

describe('a redirect', () => {
  const redirect = (status: number) => ({
    tokenError: { status, body: '', headers: { location: `${world.provider.issuer}/elsewhere` } },
  });

  it.each([302, 307, 308])('(%s) of the token endpoint is not followed, at sign-in or later', async (status) => {
    world.lie(redirect(status));
    await expect(world.login()).rejects.toMatchObject({
      code: 'provider_error',
      message: expect.stringContaining(`HTTP status ${status}`),
    });
    await expect(refresh()).rejects.toMatchObject({ code: 'provider_error' });
    expect(await approval()).toMatchObject({ status: 'failed' });
    expect(world.provider.elsewhere()).toBe(0);
    // What is signed in stays so: a redirect says nothing of the session.
    expect((await world.store.get(['refresh_token'])).refresh_token).toBe('planted-refresh-token-1812');
  });

  it('of the metadata, the keys, the device or the backchannel endpoint is not followed either', async () => {
    const away = () => new Response('', { status: 307, headers: { location: `${world.provider.issuer}/elsewhere` } });
    for (const path of ['/.well-known/openid-configuration', '/jwks', '/device/code']) {
      world.lie({ instead: { [path]: away } });
      await expect(world.login(), path).rejects.toMatchObject({ code: 'provider_error' });
    }
    world.lie({ instead: { '/backchannel': away } });
    await expect(approval()).rejects.toMatchObject({ code: 'provider_error' });
    expect(world.provider.elsewhere()).toBe(0);
  });

  it('of the accounts API carries no token elsewhere', async () => {
    const location = `${world.provider.issuer}/elsewhere`;
    world.lie({
      instead: { '/me/accounts': () => new Response('', { status: 307, headers: { location } }) },
    });
    await expect((await accounts()).list()).rejects.toMatchObject({ code: 'provider_unreachable' });
    expect(world.provider.elsewhere()).toBe(0);
  });
});

describe('an answer of 100 MB', () => {
  /** Sends as much as the other side takes, and counts it. */
  function endless(sent: { bytes: number }, status = 200) {
    const chunk = new Uint8Array(64 * 1024).fill(0x20);
    return () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            if (sent.bytes > 100 * MEBIBYTE) return controller.close();
            sent.bytes += chunk.length;
            controller.enqueue(chunk);
          },
        }),
        { status, headers: { 'content-type': 'application/json' } },
      );
  }

  it.each([
    ['of the metadata', '/.well-known/openid-configuration', () => world.login()],
    ['of the keys', '/jwks', () => world.login()],
    ['of the device endpoint', '/device/code', () => world.login()],
    ['of the token endpoint', '/token', () => refresh()],
    ['of the registration endpoint', '/register', () => approval()],
    ['of the backchannel endpoint', '/backchannel', () => approval()],
    ['of the accounts API', '/me/accounts', async () => (await accounts()).list()],
  ])('%s is cut off after a mebibyte', async (_, path, act) => {
    const sent = { bytes: 0 };
    world.lie({ instead: { [path]: endless(sent, path === '/register' ? 201 : 200) } });
    await expect(act()).rejects.toMatchObject({ code: 'provider_error' });
    // What is on its way in buffers counts as sent. Three tries for the keys.
    expect(sent.bytes).toBeGreaterThan(MEBIBYTE);
    expect(sent.bytes).toBeLessThan(30 * MEBIBYTE);
  });

  it('says what was wrong, and is refused at once where its length is announced', async () => {
    world.lie({
      instead: {
        '/token': () =>
          new Response(new ReadableStream(), {
            headers: { 'content-type': 'application/json', 'content-length': String(100 * MEBIBYTE) },
          }),
      },
    });
    await expect(refresh()).rejects.toMatchObject({
      code: 'provider_error',
      message: 'the session could not be renewed: its response was too long',
    });
  });

  it('of the metadata or keys does not fill the gateway’s memory', async () => {
    const sent = { bytes: 0 };
    const options = { issuer: world.provider.issuer, fetch, timeoutMs: 10_000, clock: systemClock };
    world.lie({ instead: { '/.well-known/openid-configuration': endless(sent) } });
    await expect(createIdentityProvider(options).metadata()).rejects.toMatchObject({ status: 503 });
    world.lie({ instead: { '/jwks': endless(sent) } });
    const key = createIdentityProvider(options).key({ alg: 'ES256', kid: 'k1' }, {} as never);
    await expect(key).rejects.toMatchObject({ status: 503 });
    expect(sent.bytes).toBeLessThan(40 * MEBIBYTE);
  });
});

describe('a provider that sends a byte now and then', () => {
  let server: Server;
  let slow: string;
  let answers: Record<string, object>;
  beforeEach(async () => {
    server = createServer((request, response) => {
      const answer = answers[request.url ?? ''];
      if (answer !== undefined) {
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      } else drip(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    slow = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    answers = {
      '/.well-known/openid-configuration': {
        issuer: slow,
        token_endpoint: `${slow}/token`,
        jwks_uri: `${slow}/jwks`,
        device_authorization_endpoint: `${slow}/device/code`,
        revocation_endpoint: `${slow}/revoke`,
      },
    };
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** Headers at once, then a body that never ends. */
  function drip(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 50);
    response.once('close', () => clearInterval(timer));
  }

  const timed = async (act: () => Promise<unknown>) => {
    const start = performance.now();
    const result = await act().catch((error: unknown) => error);
    return { result, ms: performance.now() - start };
  };

  it.each([
    [
      'metadata',
      async () => {
        delete answers['/.well-known/openid-configuration'];
        return await getProviderMetadata(slow, { timeoutSeconds: 0.5 });
      },
    ],
    ['the device endpoint', () => beginDeviceLogin(profileAt(slow), world.store, { timeoutSeconds: 0.5 })],
    ['the token endpoint', () => refresh(slow, 0.5)],
  ])('is given up on in time (%s)', async (_, act) => {
    const { result, ms } = await timed(act);
    expect(result).toMatchObject({ code: 'provider_unreachable' });
    expect(ms).toBeLessThan(3000);
  });

  it('does not hold up a sign-out', async () => {
    // The answer's status is what counts; its body is not waited for.
    const { ms } = await timed(() =>
      revokeTokens(profileAt(slow), { refresh_token: 'x', access_token: 'y' }, { timeoutSeconds: 0.5 }),
    );
    expect(ms).toBeLessThan(3000);
  });
});

describe('plain HTTP', () => {
  it.each([
    'token_endpoint',
    'jwks_uri',
    'device_authorization_endpoint',
    'backchannel_authentication_endpoint',
    'backchannel_outcome_endpoint',
    'registration_endpoint',
    'revocation_endpoint',
    'userinfo_endpoint',
  ])('is refused for the %s', async (name) => {
    world.lie({ metadata: (metadata) => ({ ...metadata, [name]: 'http://id.example/x' }) });
    await expect(world.login()).rejects.toMatchObject({
      code: 'provider_error',
      message: expect.stringContaining('an address without TLS'),
    });
    expect(world.provider.tokenRequests()).toBe(0);
  });

  it.each(['http://id.example', 'http://127.0.0.1.example', 'http://localhost.example', 'ftp://127.0.0.1'])(
    'is refused for the issuer itself (%s), before anything is sent',
    async (issuer) => {
      const send = () => Promise.reject(new Error('sent'));
      await expect(getProviderMetadata(issuer, { fetch: send })).rejects.toMatchObject({
        code: 'invalid_config',
      });
    },
  );
});

describe('a lifetime that no calendar has', () => {
  it('is a day: of a code, and of a token that a sign-out then names', async () => {
    world.lie({ device: (answer) => ({ ...answer, expires_in: 1e300 }) });
    const { expiresAt } = await beginDeviceLogin(world.profile, world.store);
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(86_400_000);

    world.lie({
      token: (answer) => ({ ...answer, expires_in: 1e300 }),
      revoke: () => new Response('', { status: 503 }),
    });
    await refresh();
    const { warning } = await logout(world);
    const [ends = ''] = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(warning ?? '') ?? [];
    expect(Date.parse(ends) - Date.now()).toBeLessThanOrEqual(86_400_000);
  });
});

describe('an address to sign in at', () => {
  it.each([
    ['a script', 'javascript:alert(1)'],
    ['a file', 'file:///etc/passwd'],
    ['no TLS', 'http://evil.example/device'],
    ['a script in disguise', 'java\nscript:alert(1)'],
    ['data', 'data:text/html,<script>alert(1)</script>'],
    ['terminal codes', 'https://id.example/\u001b[2J'],
    ['a direction change', 'https://id.example/\u202egnp.exe'],
    ['a line break', 'https://id.example/\r\nSign in at https://evil.example'],
    ['another name before the host', 'https://id.example@evil.example/device'],
    ['no end', `https://id.example/${'a'.repeat(3000)}`],
  ])('with %s is refused with a clear message, and never shown', async (_, address) => {
    for (const name of ['verification_uri', 'verification_uri_complete']) {
      world.lie({ device: (answer) => ({ ...answer, [name]: address }) });
      const error = await world.login().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'provider_error',
        message: 'the identity provider sent an unusable code or address',
        hint: expect.stringContaining(world.provider.issuer),
      });
      expect(world.provider.tokenRequests()).toBe(0);
    }
  });
});

describe('a renewed session', () => {
  it('of another user is refused, and its token is not kept', async () => {
    world.lie({ claims: (claims) => ({ ...claims, sub: 'mallory' }) });
    await expect(refresh()).rejects.toMatchObject({
      code: 'provider_error',
      message: 'the identity provider renewed the session of another user',
    });
    expect((await world.store.get(['access_token'])).access_token).toBeUndefined();
  });

  it('of another issuer is refused', async () => {
    world.lie({ claims: (claims) => ({ ...claims, iss: 'https://evil.example' }) });
    await expect(refresh()).rejects.toMatchObject({ code: 'provider_error' });
    expect((await world.store.get(['access_token'])).access_token).toBeUndefined();
  });

  it('whose token is not bound to our key is refused, and not used by the next command either', async () => {
    world.lie({ token: (answer) => ({ ...answer, token_type: 'Bearer' }) });
    await expect(refresh()).rejects.toMatchObject({ code: 'provider_error' });
    expect((await world.store.get(['access_token'])).access_token).toBeUndefined();
    // The successor of the refresh token is safe: only the answer was refused.
    expect((await world.store.get(['refresh_token'])).refresh_token).toBe('planted-refresh-token-4242');
  });
});
