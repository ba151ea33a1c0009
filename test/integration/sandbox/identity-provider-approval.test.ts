import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { afterEach, describe, expect, it } from 'vitest';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { approvalCode } from '../../../src/trading/approval-details.ts';
import { CIBA, details, EXCHANGE, RESOURCE, refusal, registerApprovalClient } from './identity-provider-fixture.ts';
import { approval, decide, ownProvider, refused, travel, waiting, withProvider, world } from './provider-desk.ts';

const pings: { url: string; authorization: string | null; body: unknown }[] = [];
let pinged = () => {};

withProvider(() => ({
  resolve: async () => ['93.184.215.14'],
  publicFetch: async (url, init) => {
    const authorization = new Headers(init?.headers).get('authorization');
    pings.push({ url: String(url), authorization, body: JSON.parse(String(init?.body)) });
    pinged();
    return new Response(null, { status: 204 });
  },
}));

/** An order that was asked about and approved: by what its token is polled for. */
const approved = async () => {
  const id = await asked();
  await decide();
  return id;
};
const asked = async (order = details(), parameters?: Record<string, string>) =>
  (await approval.ask(order, parameters)).auth_req_id;
const tokenOf = async (id: string, asking = approval) => (await asking.poll(id)).access_token;

describe('registering an approval client', () => {
  const refused: Record<string, Record<string, unknown>> = {
    'another grant': { grant_types: [CIBA, 'refresh_token'] },
    'the token exchange grant': { grant_types: [EXCHANGE] },
    'a public client': { token_endpoint_auth_method: 'none' },
    'a key that is fetched later': { jwks: undefined, jwks_uri: 'https://127.0.0.1/jwks' },
    'no key': { jwks: undefined },
    'a redirect': { redirect_uris: ['https://evil.example/'] },
    'a name with a line break': { client_name: 'trade-agent\nPAPER' },
  };
  for (const [what, metadata] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      const why = /^invalid_(client_metadata|redirect_uri)$/;
      expect(await refusal(registerApprovalClient(world, metadata))).toMatch(why);
    });
  }
});

describe('an approval', () => {
  it('becomes a DPoP-bound token that carries exactly the details that were asked for', async () => {
    const asked = details();
    const request = await approval.ask(asked, { requested_expiry: '120' });
    expect(request).toMatchObject({ expires_in: 120, interval: 2, code: expect.stringMatching(/^[0-9A-Z]{4}$/) });
    const completed = { ...asked, code: request.code };
    const [shown] = await world.phone.requests('alice');
    expect(shown).toMatchObject({
      client_name: 'trade-agent on test-laptop',
      code: request.code,
      binding_message: `BUY 5 AAPL LMT 180.00 ${request.code}`,
      details: completed,
      status: 'pending',
    });
    await decide();
    const tokens = await approval.poll(request.auth_req_id);
    expect(tokens.token_type).toBe('dpop');
    expect(tokens.refresh_token).toBeUndefined();
    expect(tokens.authorization_details).toEqual([completed]);
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      sub: 'alice',
      aud: RESOURCE,
      scope: 'orders:write',
      authorization_details: [completed],
      cnf: { jkt: expect.any(String) },
    });
  });

  it('has a random code that the client can’t choose, another one each time', async () => {
    const asked = details();
    const codes = [(await approval.ask(asked)).code, (await approval.ask(asked)).code];
    expect(new Set([...codes, approvalCode(asked.digest)]).size).toBe(3);
    await refused(approval.ask({ ...asked, code: codes[0] }), 'invalid_authorization_details');
  });

  it('lives no longer than the order, and never more than five minutes', async () => {
    const life = async (seconds: number) => {
      const order = details({ expires_at: formatUtcSeconds(Date.now() + seconds * 1000) });
      const request = await approval.ask(order, { requested_expiry: '3600' });
      await decide();
      const { iat = 0, exp = 0 } = decodeJwt(await tokenOf(request.auth_req_id));
      return { asked: request.expires_in, token: exp - iat };
    };
    const short = await life(90);
    expect(short.asked).toBeLessThanOrEqual(90);
    expect(short.token).toBeLessThanOrEqual(90);
    expect(short.token).toBeGreaterThan(80);
    const long = await life(3000);
    expect(long.asked).toBeGreaterThan(2990);
    expect(long.token).toBe(300);
  });

  it('is answered within 500 ms of the tap by a poll that was already waiting', async () => {
    const id = await asked();
    const polled = approval.poll(id);
    const shown = await waiting();
    await world.polling(id);
    const tapped = performance.now();
    await world.phone.decide(shown, 'approve');
    await polled;
    expect(performance.now() - tapped).toBeLessThan(500);
  });

  it('gives one token when two polls wait for it', async () => {
    const id = await asked();
    const polls = [approval.poll(id), approval.poll(id)];
    await world.polling(id, 2);
    await decide();
    const results = await Promise.allSettled(polls);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('gives its token once: a second poll is refused', async () => {
    const id = await approved();
    await approval.poll(id);
    expect(await refusal(approval.poll(id))).toBe('invalid_grant');
  });

  it('is not handed to a client that stopped waiting', async () => {
    const leaving = await registerApprovalClient(world);
    const request = await leaving.ask(details());
    const leave = new AbortController();
    leaving.config[client.customFetch] = (url, init) => fetch(url, { ...(init as RequestInit), signal: leave.signal });
    const abandoned = leaving.poll(request.auth_req_id).catch(() => 'left');
    await world.polling(request.auth_req_id);
    leave.abort();
    expect(await abandoned).toBe('left');
    leaving.config[client.customFetch] = (url, init) => fetch(url, init as RequestInit);
    await decide();
    expect(await tokenOf(request.auth_req_id, leaving)).toBeTypeOf('string');
  });

  it('belongs to the client that asked', async () => {
    const id = await approved();
    const other = await registerApprovalClient(world);
    expect(await refusal(other.poll(id))).toBe('invalid_grant');
    expect(await tokenOf(id)).toBeTypeOf('string');
  });

  it('survives a restart, before and after the tap', async () => {
    const own = await ownProvider();
    const asking = await registerApprovalClient(own);
    const request = await asking.ask(details());
    await own.restart();
    await decide('approve', own);
    await own.restart();
    expect(await tokenOf(request.auth_req_id, asking)).toBeTypeOf('string');
  });

  it('that was decided but not yet told to the provider is told on the next start', async () => {
    const own = await ownProvider();
    const asking = await registerApprovalClient(own);
    const request = await asking.ask(details());
    // What a process leaves behind that died right after it recorded the tap.
    const recorded = own.database().prepare("UPDATE approval_requests SET decision = 'approve', decided_at = ?");
    recorded.run(Date.now());
    await own.restart();
    expect(await tokenOf(request.auth_req_id, asking)).toBeTypeOf('string');
  });

  it('can be asked for with an ID token instead of a name', async () => {
    const first = await approval.ask(details());
    await decide();
    const { id_token: idToken = '' } = await approval.poll(first.auth_req_id);
    const asked = details();
    await client.initiateBackchannelAuthentication(approval.config, {
      scope: 'openid orders:write',
      id_token_hint: idToken,
      authorization_details: JSON.stringify([asked]),
    });
    expect((await world.phone.requests('alice')).map(({ details }) => details)).toContainEqual({
      ...asked,
      code: expect.any(String),
    });
  });

  it('pings the client that asked for it, without keeping the person waiting', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    pinged = resolve;
    const pinging = await registerApprovalClient(world, {
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: 'https://client.example/ping',
    });
    const request = await pinging.ask(details(), { client_notification_token: 'notification-token-1' });
    await decide();
    await promise;
    const authorization = 'Bearer notification-token-1';
    const body = { auth_req_id: request.auth_req_id };
    expect(pings).toEqual([{ url: 'https://client.example/ping', authorization, body }]);
    expect(await tokenOf(request.auth_req_id, pinging)).toBeTypeOf('string');
  });
});

describe('a request that is not approved', () => {
  it('is access_denied when denied', async () => {
    const id = await asked();
    const polled = refusal(approval.poll(id));
    await world.polling(id);
    await decide('deny');
    expect(await polled).toBe('access_denied');
  });

  it('is expired_token when nobody decided, and can no longer be approved', async () => {
    const id = await asked(details(), { requested_expiry: '60' });
    const shown = await waiting();
    travel(61_000);
    expect(await refusal(approval.poll(id))).toBe('expired_token');
    await expect(world.phone.decide(shown, 'approve')).rejects.toMatchObject({ code: 'approval_expired' });
  });

  it('wakes a waiting poll when it expires', async () => {
    const id = await asked(details(), { requested_expiry: '1' });
    expect(await refusal(approval.poll(id))).toBe('expired_token');
  });

  it('stays denied: no approval after it', async () => {
    const id = await asked();
    const shown = await waiting();
    await world.phone.decide(shown, 'deny');
    await expect(world.phone.decide(shown, 'approve')).rejects.toMatchObject({ code: 'usage' });
    expect(await refusal(approval.poll(id))).toBe('access_denied');
  });

  it('stays approved: no denial after it, and a double tap changes nothing', async () => {
    const id = await asked();
    const shown = await waiting();
    await Promise.all([world.phone.decide(shown, 'approve'), world.phone.decide(shown, 'approve')]);
    await expect(world.phone.decide(shown, 'deny')).rejects.toMatchObject({ code: 'usage' });
    expect(await tokenOf(id)).toBeTypeOf('string');
  });
});

describe('a request that is never shown to anybody', () => {
  const order = details();
  const without = (field: string) => Object.fromEntries(Object.entries(order).filter(([name]) => name !== field));
  const bad: Record<string, unknown> = {
    'no details': [],
    'two orders': [order, details()],
    'another type': [{ ...order, type: 'payment' }],
    'a field that is unknown': [{ ...order, memo: 'nothing to see' }],
    'a missing digest': [without('digest')],
    'a digest of another order': [{ ...order, digest: details().digest }],
    'a quantity the digest was not made from': [{ ...order, qty: '500' }],
    'an identifier of another order': [{ ...order, identifier: 'ta-another-order' }],
    'another gateway': [{ ...order, locations: ['http://evil.example'] }],
    'an action besides placing': [{ ...order, actions: ['place', 'withdraw'] }],
    'both quantity and amount': [{ ...order, notional: '500.00' }],
    'a price off the tick': [{ ...order, limit_price: '180.001' }],
    'a symbol in lower case': [{ ...order, symbol: 'aapl' }],
    'an expiry that has passed': [details({ expires_at: formatUtcSeconds(Date.now() - 1000) })],
  };
  for (const [what, value] of Object.entries(bad)) {
    it(`is one with ${what}`, async () => {
      const before = (await world.phone.allRequests('alice')).length;
      expect(await refusal(approval.ask(value))).toBe('invalid_authorization_details');
      expect(await world.phone.allRequests('alice')).toHaveLength(before);
    });
  }

  it('is one without any authorization details', async () => {
    const parameters = { scope: 'openid orders:write', login_hint: 'alice' };
    const call = client.initiateBackchannelAuthentication(approval.config, parameters);
    await refused(call, 'invalid_authorization_details');
  });

  it('is one for other scopes than the order', async () => {
    for (const scope of ['openid', 'openid portfolio:read', 'openid orders:write orders:cancel']) {
      expect(await refusal(approval.ask(details(), { scope })), scope).toBe('invalid_scope');
    }
  });

  it('is one for a person there is not, or who did not let the client in', async () => {
    for (const login_hint of ['mallory', 'bob']) {
      expect(await refusal(approval.ask(details(), { login_hint }))).toBe('unknown_user_id');
    }
  });

  it('is one with a message that could be misread, or describes another order', async () => {
    const hidden = ['BUY 5 AAPL\nLIVE', 'x'.repeat(65), 'BUY 5 <b>AAPL</b>', 'BUY 5 ААPL'];
    for (const binding_message of ['SELL 5 AAPL LMT 180.00 K7QP', ...hidden]) {
      await refused(approval.ask(details(), { binding_message }), 'invalid_binding_message', binding_message);
    }
  });

  it('is one for another resource', async () => {
    await refused(approval.ask(details(), { resource: 'http://evil.example' }), 'invalid_target');
  });

  it('is the twenty-first that waits for one person', async () => {
    const bobs = await registerApprovalClient(world, {}, 'bob');
    for (let i = 0; i < 20; i++) await bobs.ask(details());
    expect(await refusal(bobs.ask(details()))).toBe('too_many_requests');
  });

  it('does not reach the phone of somebody else', async () => {
    await approval.ask(details({ symbol: 'MSFT' }));
    const bobs = await world.phone.requests('bob');
    expect(bobs.every(({ user, details }) => user === 'bob' && details.symbol !== 'MSFT')).toBe(true);
  });
});

it('a token request can not bring details of its own', async () => {
  const id = await approved();
  const larger = JSON.stringify([details({ qty: '500' })]);
  const polled = approval.poll(id, { authorization_details: larger });
  await refused(polled, 'invalid_authorization_details');
});

describe('faults', () => {
  afterEach(() => world.faults.clear());

  it('slow_down: a poll is told to slow down', async () => {
    const id = await asked();
    world.faults.set('slow_down', 1);
    expect(await refusal(approval.poll(id))).toBe('slow_down');
    await decide();
    expect(await tokenOf(id)).toBeTypeOf('string');
  });

  it('lost_token_response: the token is issued and the connection dropped', async () => {
    const id = await approved();
    world.faults.set('lost_token_response', 1);
    await expect(approval.poll(id)).rejects.toThrow();
    expect(await refusal(approval.poll(id))).toBe('invalid_grant');
  });

  it('idp_5xx: the token endpoint answers 503, and nothing is used up', async () => {
    const id = await approved();
    world.faults.set('idp_5xx', 1);
    const response = await fetch(`${world.issuer}/token`, { method: 'POST' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await tokenOf(id)).toBeTypeOf('string');
  });

  it('slow_answers: an answer takes two seconds', async () => {
    world.faults.set('slow_answers', 1);
    const asked = performance.now();
    await fetch(`${world.issuer}/jwks`);
    expect(performance.now() - asked).toBeGreaterThan(1900);
  });

  it('tampered_details: the token holds another quantity than was shown', async () => {
    const asked = details();
    const request = await approval.ask(asked);
    world.faults.set('tampered_details', 1);
    await decide();
    const { access_token: token } = await approval.poll(request.auth_req_id);
    expect(decodeJwt(token).authorization_details).toEqual([{ ...asked, code: request.code, qty: '6' }]);
  });

  it('replayed_approval: a token has the jti of the one before', async () => {
    const jti = async () => decodeJwt(await tokenOf(await approved())).jti;
    const first = await jti();
    world.faults.set('replayed_approval', 1);
    expect(await jti()).toBe(first);
    expect(await jti()).not.toBe(first);
  });
});
