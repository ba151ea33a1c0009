import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { utcSeconds } from '../../../src/machine/clock.ts';
import { proposalKinds } from '../../../src/trading/proposal.ts';
import {
  ALL_SCOPES,
  details as flatDetails,
  RESOURCE,
  refusal,
  registerApprovalClient,
  signIn,
  startIdentityProvider,
  type World,
} from './identity-provider-fixture.ts';
import { type GatewayAsking, gatewayAsking, proposalDetails, subjectOf } from './proposal-fixture.ts';

let world: World;
let gateway: GatewayAsking;
const pings: { url: string; authorization: string | null; body: unknown; dispatcher: boolean }[] = [];
let onPing: () => Promise<Response> = async () => new Response(null, { status: 204 });

beforeAll(async () => {
  world = await startIdentityProvider({
    fetch: async (url, init) => {
      pings.push({
        url: String(url),
        authorization: new Headers(init?.headers).get('authorization'),
        body: JSON.parse(String(init?.body)),
        dispatcher: init !== undefined && 'dispatcher' in init,
      });
      return onPing();
    },
  });
  gateway = await gatewayAsking(world);
});
afterAll(async () => {
  await world.close();
});
afterEach(async () => {
  vi.useRealTimers();
  onPing = async () => new Response(null, { status: 204 });
  for (const user of ['alice', 'bob']) {
    for (const { id } of await world.phone.requests(user)) await world.phone.decide(id, 'deny');
  }
  pings.length = 0;
});

/** The phone's name for the request that was made last. */
async function waiting(user = 'alice'): Promise<string> {
  const request = (await world.phone.requests(user)).at(-1);
  if (request === undefined) throw new Error('nothing is waiting');
  return request.id;
}

function travel(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}

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
    const expires_at = utcSeconds(Date.now() + 30 * 3600 * 1000);
    const request = await gateway.ask(proposalDetails('order', { expires_at }), {
      requested_expiry: String(48 * 3600),
    });
    expect(request.expires_in).toBe(24 * 3600);
    const id = await waiting();
    travel(23 * 3600 * 1000);
    expect((await world.phone.decide(id, 'approve')).status).toBe('approved');
    expect((await gateway.poll(request.auth_req_id)).access_token).toBeTypeOf('string');
  });

  it('gives a tap in the last moment a minute', async () => {
    const request = await gateway.ask(
      proposalDetails('order', { expires_at: utcSeconds(Date.now() + 20_000) }),
    );
    expect(request.expires_in).toBeLessThanOrEqual(20);
    await world.phone.decide(await waiting(), 'approve');
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
  const order = () => subjectOf('order');
  const refused: Record<string, () => unknown> = {
    'another digest': () => ({ ...proposalDetails(), digest: proposalDetails().digest.replace(/^./, '_') }),
    'another gateway': () => proposalDetails('order', { locations: ['http://evil.example'] }),
    'the action of another kind': () => proposalDetails('order', { actions: ['cancel'] }),
    'the type of another kind': () => proposalDetails('order', { type: 'order_cancel' }),
    'a field that is unknown': () => ({ ...proposalDetails(), memo: 'nothing to see' }),
    'an expiry that has passed': () =>
      proposalDetails('order', { expires_at: utcSeconds(Date.now() - 1000) }),
    'a code of its own alphabet': () => proposalDetails('order', { code: 'ILOU' }),
    'an order with a field that is unknown': () =>
      proposalDetails('order', { subject: { ...order(), memo: 'nothing to see' } }),
    'an order off the tick': () =>
      proposalDetails('order', { subject: { ...order(), limit_price: '180.001' } }),
    'a message that hides something': () =>
      proposalDetails('message', { subject: { ...subjectOf('message'), text: 'pay \u202e05$' } }),
    'a subject of another kind': () => proposalDetails('lift', { subject: order() }),
  };
  it.each(Object.entries(refused))('is one with %s', async (_, make) => {
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
      expect(await refusal(gateway.ask(proposalDetails(), { binding_message }))).toBe(
        'invalid_binding_message',
      );
    },
  );

  it('is one for the scope of another kind', async () => {
    for (const scope of ['openid messages:write', 'openid', 'openid orders:write orders:propose']) {
      expect(await refusal(gateway.ask(proposalDetails(), { scope })), scope).toBe('invalid_scope');
    }
    expect(await refusal(gateway.ask(proposalDetails('message'), { scope: 'openid orders:write' }))).toBe(
      'invalid_scope',
    );
  });
});

describe('the gateway is called back', () => {
  it('on loopback as it is, with its own token, when the person decides', async () => {
    const request = await gateway.ask(proposalDetails(), { client_notification_token: 'token-1' });
    await world.phone.decide(await waiting(), 'approve');
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
    expect((await world.phone.decide(await waiting(), 'approve')).status).toBe('approved');
    expect((await gateway.poll(request.auth_req_id)).access_token).toBeTypeOf('string');
  });

  it('again where it could not look, and not where it says no', async () => {
    const answers = [404, 503, 204];
    onPing = async () => new Response(null, { status: answers.shift() ?? 500 });
    const calls = async (token: string) => {
      await gateway.ask(proposalDetails(), { client_notification_token: token });
      await world.phone.decide(await waiting(), 'approve');
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
    expect(String(decodeJwt(tokens.access_token).scope).split(' ')).toEqual(
      expect.arrayContaining(['orders:propose', 'messages:propose']),
    );
    expect(await refusal(signIn(world, { scope: `${ALL_SCOPES} orders:write` }))).toBe('invalid_scope');
  });
});

it('nothing went wrong inside', () => {
  expect(world.problems).toEqual([]);
});
