import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { proposalKinds } from '../../../src/trading/proposal.ts';
import {
  ALL_SCOPES,
  details as flatDetails,
  RESOURCE,
  refusal,
  registerApprovalClient,
  signIn,
} from './identity-provider-fixture.ts';
import { proposalDetails, subjectOf } from './proposal-fixture.ts';
import { decide, denyAll, gateway, refused, travel, waiting, withProvider, world } from './provider-desk.ts';

const pings: { url: string; authorization: string | null; body: unknown; dispatcher: boolean }[] = [];
const takes = async () => new Response(null, { status: 204 });
let onPing: () => Promise<Response> = takes;

withProvider(() => ({
  fetch: async (url, init) => {
    pings.push({
      url: String(url),
      authorization: new Headers(init?.headers).get('authorization'),
      body: JSON.parse(String(init?.body)),
      dispatcher: init !== undefined && 'dispatcher' in init,
    });
    return onPing();
  },
}));
afterEach(async () => {
  onPing = takes;
  await denyAll();
  pings.length = 0;
});

describe('a proposal that the gateway asks about', () => {
  it.each(proposalKinds)('of kind %s becomes a token with exactly its details', async (kind) => {
    const asked = proposalDetails(kind);
    const request = await gateway.ask(asked);
    const [shown] = await world.phone.requests('alice');
    expect(shown).toMatchObject({
      kind,
      code: asked.code,
      details: asked,
      worst_case: asked.worst_case,
      requested_by: 'chat',
      client: 'trade-agent',
      client_name: 'order gateway',
      status: 'pending',
      outcome: null,
    });
    await world.phone.decide(shown?.id ?? '', 'approve');
    const { access_token: token } = await gateway.poll(request.auth_req_id);
    expect(decodeJwt(token)).toMatchObject({
      sub: 'alice',
      aud: RESOURCE,
      client_id: 'trade-agent-gateway',
      scope: kind === 'message' ? 'messages:write' : 'orders:write',
      authorization_details: [asked],
    });
  });

  it('may wait a day, and no longer', async () => {
    const asked = proposalDetails('order', { expires_at: formatUtcSeconds(Date.now() + 30 * 3600 * 1000) });
    const request = await gateway.ask(asked, { requested_expiry: String(48 * 3600) });
    expect(request.expires_in).toBe(24 * 3600);
    const id = await waiting();
    travel(23 * 3600 * 1000);
    expect((await world.phone.decide(id, 'approve')).status).toBe('approved');
    expect((await gateway.poll(request.auth_req_id)).access_token).toBeTypeOf('string');
  });

  it('gives a tap in the last moment a minute', async () => {
    const soon = { expires_at: formatUtcSeconds(Date.now() + 20_000) };
    const request = await gateway.ask(proposalDetails('order', soon));
    expect(request.expires_in).toBeLessThanOrEqual(20);
    await decide();
    const { iat = 0, exp = 0 } = decodeJwt((await gateway.poll(request.auth_req_id)).access_token);
    expect(exp - iat).toBe(60);
  });

  it('takes the place of one that waits for the same proposal, whose answer got lost', async () => {
    const asked = proposalDetails();
    const first = await gateway.ask(asked);
    const firstId = await waiting();
    const second = await gateway.ask(asked);
    const open = await world.phone.requests('alice');
    expect(open).toHaveLength(1);
    expect(open[0]?.id).not.toBe(firstId);
    await expect(world.phone.decide(firstId, 'approve')).rejects.toMatchObject({ code: 'approval_expired' });
    // Nobody refused it: whoever waits for its answer must not take that for a no.
    expect(await refusal(gateway.poll(first.auth_req_id))).toBe('invalid_grant');
    await world.phone.decide(open[0]?.id ?? '', 'approve');
    expect((await gateway.poll(second.auth_req_id)).access_token).toBeTypeOf('string');
    const lately = await world.phone.allRequests('alice');
    expect(lately.filter(({ details }) => details.proposal === asked.proposal)).toHaveLength(1);
  });

  it('leaves the twenty of each other client alone', async () => {
    for (let i = 0; i < 21; i++) await gateway.ask(proposalDetails(), { login_hint: 'bob' });
    const other = await registerApprovalClient(world, {}, 'bob');
    for (let i = 0; i < 20; i++) await other.ask(flatDetails());
    expect(await refusal(other.ask(flatDetails()))).toBe('too_many_requests');
    const third = await registerApprovalClient(world, {}, 'bob');
    await third.ask(flatDetails());
  });
});

describe('a proposal that is never shown to anybody', () => {
  const order = (changes: object) => () => proposalDetails('order', changes);
  const altered = (changes: object) => order({ subject: { ...subjectOf('order'), ...changes } });
  const hidden = { ...subjectOf('message'), text: 'pay \u202e05$' };
  const bad: Record<string, () => unknown> = {
    'another digest': () => ({ ...proposalDetails(), digest: proposalDetails().digest.replace(/^./, '_') }),
    'another gateway': order({ locations: ['http://evil.example'] }),
    'the action of another kind': order({ actions: ['cancel'] }),
    'the type of another kind': order({ type: 'order_cancel' }),
    'a field that is unknown': () => ({ ...proposalDetails(), memo: 'nothing to see' }),
    'an expiry that has passed': order({ expires_at: formatUtcSeconds(Date.now() - 1000) }),
    'a code of its own alphabet': order({ code: 'ILOU' }),
    'an order with a field that is unknown': altered({ memo: 'nothing to see' }),
    'an order off the tick': altered({ limit_price: '180.001' }),
    'a message that hides something': () => proposalDetails('message', { subject: hidden }),
    'a subject of another kind': () => proposalDetails('lift', { subject: subjectOf('order') }),
  };
  it.each(Object.entries(bad))('is one with %s', async (_, make) => {
    expect(await refusal(gateway.ask(make()))).toBe('invalid_authorization_details');
    expect(await world.phone.requests('alice')).toEqual([]);
  });

  it('is one of any client but the gateway', async () => {
    const other = await registerApprovalClient(world);
    const asked = other.ask(proposalDetails(), { binding_message: 'BUY 5 AAPL K7QP' });
    expect(await refusal(asked)).toBe('invalid_authorization_details');
  });

  it.each(['BUY 5 AAPL ABCD', 'BUY 5 AAPL', 'BUY 5 AAPLK7QP', 'BUY 5 AAPL\nK7QP', 'BUY 5 ААPL K7QP'])(
    'is one with the message %j',
    async (binding_message) => {
      await refused(gateway.ask(proposalDetails(), { binding_message }), 'invalid_binding_message');
    },
  );

  it('is one for the scope of another kind', async () => {
    for (const scope of ['openid messages:write', 'openid', 'openid orders:write orders:propose']) {
      expect(await refusal(gateway.ask(proposalDetails(), { scope })), scope).toBe('invalid_scope');
    }
    const asked = gateway.ask(proposalDetails('message'), { scope: 'openid orders:write' });
    await refused(asked, 'invalid_scope');
  });
});

describe('the gateway is called back', () => {
  it('on loopback as it is, with its own token, when the person decides', async () => {
    const request = await gateway.ask(proposalDetails(), { client_notification_token: 'token-1' });
    await decide();
    await vi.waitFor(() => expect(pings).toHaveLength(1));
    expect(pings[0]).toEqual({
      url: `${RESOURCE}/ciba/ping`,
      authorization: 'Bearer token-1',
      body: { auth_req_id: request.auth_req_id },
      dispatcher: false,
    });
  });

  it.each([
    ['is not there', async () => Promise.reject(new Error('connection refused'))],
    ['fails', async () => new Response(null, { status: 500 })],
    ['never answers', () => new Promise<Response>(() => {})],
  ])('and one that %s harms no decision', async (_, answer) => {
    onPing = answer;
    const request = await gateway.ask(proposalDetails());
    expect((await decide()).status).toBe('approved');
    expect((await gateway.poll(request.auth_req_id)).access_token).toBeTypeOf('string');
  });

  it('again where it could not look, and not where it says no', async () => {
    const answers = [404, 503, 204];
    onPing = async () => new Response(null, { status: answers.shift() ?? 500 });
    const calls = async (token: string) => {
      await gateway.ask(proposalDetails(), { client_notification_token: token });
      await decide();
      return () => pings.filter(({ authorization }) => authorization === `Bearer ${token}`).length;
    };
    const refused = await calls('refused');
    await vi.waitFor(() => expect(refused()).toBe(1));
    const away = await calls('away');
    // By then the first would have come again.
    await vi.waitFor(() => expect(away()).toBe(2), 5_000);
    expect([refused(), answers]).toEqual([1, []]);
  });
});

describe('a session', () => {
  it('may propose, and may not order', async () => {
    const scope = `${ALL_SCOPES} orders:propose messages:propose`;
    const { tokens } = await signIn(world, { scope });
    const proposes = expect.arrayContaining(['orders:propose', 'messages:propose']);
    expect(String(decodeJwt(tokens.access_token).scope).split(' ')).toEqual(proposes);
    expect(await refusal(signIn(world, { scope: `${ALL_SCOPES} orders:write` }))).toBe('invalid_scope');
  });
});
