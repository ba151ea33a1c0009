import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../../src/net/http-server.ts';
import { readMail } from '../../../src/sandbox/third-parties/gmail.ts';
import { tradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { type MessageDraft, messageDraftSchema } from '../../../src/trading/message.ts';
import { messageSendDetails } from '../../../src/trading/message-details.ts';
import { type MessageWorld, type ServiceAnswer, startMessageWorld } from './support/message-world.ts';

let world: MessageWorld;
beforeAll(async () => {
  world = await startMessageWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.received.length = 0;
  world.answers.length = 0;
});

const mailDraft = () =>
  world.draft({ service: 'gmail', recipient: 'bob@example.com', subject: 'Portfolio summary' });

/** The refusal is this one, and nothing reached Slack or Gmail. */
async function expectRefusal(
  response: Response,
  status: number,
  code: string,
  more: Record<string, unknown> = {},
): Promise<void> {
  expect(await response.json()).toMatchObject({ status, code, ...more });
  expect(response.status).toBe(status);
  expect(world.received).toEqual([]);
}

describe('an approved message', () => {
  it('goes to Slack as it was approved, with everything off that would show it as something else', async () => {
    const draft = world.draft({ text: 'a < b & c > d\n<!channel> *x* http://example.com' });
    const response = await world.send(draft, await world.approve(draft));
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      client_message_id: draft.client_message_id,
      service: 'slack',
      recipient: '#trading',
      service_id: '17.1',
      sent_at: expect.any(String),
    });
    expect(world.received).toEqual([
      {
        path: '/api/chat.postMessage',
        authorization: 'Bearer slack-token-of-alice',
        body: {
          channel: '#trading',
          text: 'a &lt; b &amp; c &gt; d\n&lt;!channel&gt; *x* http://example.com',
          mrkdwn: false,
          parse: 'none',
          link_names: false,
          unfurl_links: false,
          unfurl_media: false,
        },
      },
    ]);
  });

  it('goes to Gmail as it was approved', async () => {
    const draft = { ...mailDraft(), text: 'Überschuß € 株\nline two' };
    expect((await world.send(draft, await world.approve(draft))).status).toBe(201);
    const [arrived] = world.received;
    expect([arrived?.path, arrived?.authorization]).toEqual([
      '/gmail/v1/users/me/messages/send',
      'Bearer gmail-token-of-alice',
    ]);
    expect(readMail(Buffer.from(String(arrived?.body.raw), 'base64url').toString())).toEqual({
      to: 'bob@example.com',
      subject: 'Portfolio summary',
      text: draft.text,
    });
  });

  it('as long as one may be fits into a token and a header', async () => {
    for (const text of ['株'.repeat(1333), '"'.repeat(2000)]) {
      const draft = { ...mailDraft(), text };
      expect((await world.send(draft, await world.approve(draft))).status).toBe(201);
    }
  });

  it('is sent once: asked for again, the first result is told again', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    const [first, second] = await Promise.all([world.send(draft, token), world.send(draft, token)]);
    const third = await world.send(draft, token);
    const bodies = await Promise.all([first, second, third].map((response) => response.json()));
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect([first, second, third].map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    expect(third.headers.get('idempotent-replay')).toBe('true');
    expect(await (await world.outcome(draft.client_message_id)).json()).toEqual(bodies[0]);
    expect(world.received).toHaveLength(1);
  });
});

/** Another valid value for each field of a message. */
const others: { [Field in keyof Required<MessageDraft>]: MessageDraft[Field] } = {
  service: 'slack',
  recipient: 'eve@example.com',
  subject: 'Portfolio summary.',
  text: 'Equity $1.00\nAAPL: 6',
  client_message_id: 'ta-another-message',
  expires_at: '2040-01-01T00:00:00Z',
};
const fields = Object.keys(messageDraftSchema.unwrap().shape) as (keyof MessageDraft)[];

it('the cases below know every field of a message', () => {
  expect(Object.keys(others).sort()).toEqual([...fields].sort());
});

describe('a message changed after its approval is refused', () => {
  it.each(fields)('in %s', async (field) => {
    const draft = mailDraft();
    const token = await world.approve(draft);
    const changed = { ...draft, [field]: others[field] };
    // By Slack it would need another recipient and no subject, which makes no message of it: that is said first.
    if (field === 'service') return expectRefusal(await world.send(changed, token), 400, 'invalid_message');
    await expectRefusal(await world.send(changed, token), 403, 'details_mismatch', {
      fields: expect.arrayContaining([field, 'digest']),
    });
    const { [field]: _, ...removed } = draft;
    await expectRefusal(await world.send(removed, token), 400, 'invalid_message');
  });

  it('to another service, made a message of that', async () => {
    const draft = mailDraft();
    const { subject: _, ...rest } = draft;
    const changed = { ...rest, service: 'slack', recipient: '#trading' };
    await expectRefusal(await world.send(changed, await world.approve(draft)), 403, 'details_mismatch', {
      fields: ['digest', 'recipient', 'service', 'subject'],
    });
  });

  it('by one space, or one letter in another script that looks the same', async () => {
    const draft = world.draft({ text: 'Sell AAPL' });
    const token = await world.approve(draft);
    for (const text of ['Sell AAPL ', ' Sell AAPL', 'Sell  AAPL', 'Sell AΑPL', 'sell AAPL']) {
      await expectRefusal(await world.send({ ...draft, text }, token), 403, 'details_mismatch', {
        fields: ['digest', 'text'],
      });
    }
  });

  it.each(fields)('with the details in the token changed in %s alone', async (field) => {
    const draft = mailDraft();
    const details = { ...messageSendDetails(draft, { gateway: world.url }), [field]: others[field] };
    const token = await world.approve(draft, { claims: { authorization_details: [details] } });
    await expectRefusal(await world.send(draft, token), 403, 'details_mismatch', { fields: [field] });
  });

  it.each([
    ['another gateway', { locations: ['https://elsewhere.example'] }, 'details_mismatch'],
    ['another action', { actions: ['delete'] }, 'approval_malformed'],
    ['another digest', { digest: 'A'.repeat(43) }, 'details_mismatch'],
    ['another identifier', { identifier: 'ta-12345678' }, 'details_mismatch'],
    ['a field nobody knows', { cc: 'eve@example.com' }, 'approval_malformed'],
    ['the type of an order', { type: 'trade_order' }, 'approval_missing'],
  ])('with details for %s', async (_what, change, code) => {
    const draft = mailDraft();
    const details = { ...messageSendDetails(draft, { gateway: world.url }), ...change };
    const token = await world.approve(draft, { claims: { authorization_details: [details] } });
    await expectRefusal(await world.send(draft, token), 403, code);
  });
});

describe('what is refused before anything is looked at', () => {
  it('no token, the scope of an order, no approval, and two', async () => {
    const draft = world.draft();
    const details = messageSendDetails(draft, { gateway: world.url });
    await expectRefusal(await world.send(draft, undefined), 401, 'token_missing');
    const order = await world.approve(draft, { claims: { scope: 'openid orders:write' } });
    await expectRefusal(await world.send(draft, order), 403, 'insufficient_scope');
    const bare = await world.approve(draft, { claims: { authorization_details: undefined } });
    await expectRefusal(await world.send(draft, bare), 403, 'approval_missing');
    const two = await world.approve(draft, { claims: { authorization_details: [details, details] } });
    await expectRefusal(await world.send(draft, two), 403, 'approval_ambiguous');
  });

  it('the approval of an order, with the scope of a message', async () => {
    const draft = world.draft();
    const order = tradeOrderDetails(
      {
        account: 'PA3ALICE01',
        environment: 'paper',
        symbol: 'AAPL',
        side: 'buy',
        qty: '5',
        type: 'market',
        time_in_force: 'day',
        extended_hours: false,
        reference_price: '180.00',
        max_slippage: '0.01',
        client_order_id: 'ta-12345678',
        expires_at: draft.expires_at,
      },
      { gateway: world.url },
    );
    const token = await world.approve(draft, { claims: { authorization_details: [order] } });
    await expectRefusal(await world.send(draft, token), 403, 'approval_missing');
  });

  it.each([
    ['a recipient with a line break', { recipient: 'bob@example.com\r\nBcc: eve@example.com' }],
    ['two recipients', { recipient: 'bob@example.com,eve@example.com' }],
    ['a recipient with a name', { recipient: 'Bob <bob@example.com>' }],
    ['a subject with a line break', { subject: 'Hi\r\nBcc: eve@example.com' }],
    ['a text that turns around', { text: 'Sell \u202eLPAA' }],
    ['a text with something nobody sees', { text: 'Sell\u200b AAPL' }],
    ['a terminal’s escape', { text: 'Sell \u001b[2K AAPL' }],
    ['a text longer than can be read', { text: 'a'.repeat(2001) }],
    ['no text', { text: '' }],
  ])('%s', async (_what, change) => {
    const draft = mailDraft();
    const response = await world.send({ ...draft, ...change }, await world.approve(draft));
    await expectRefusal(response, 400, 'invalid_message');
  });

  it('an approval whose time ran out', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    world.clock.advance(241_000);
    await expectRefusal(await world.send(draft, token), 403, 'approval_expired');
  });

  it('an approval that was used for another message', async () => {
    const first = world.draft();
    const second = world.draft();
    const claims = { jti: 'the-same' };
    expect((await world.send(first, await world.approve(first, { claims }))).status).toBe(201);
    world.received.length = 0;
    const token = await world.approve(second, { claims });
    await expectRefusal(await world.send(second, token), 403, 'approval_already_used');
  });

  it('to tell a user of another’s message of the same id, which keeps nobody from theirs', async () => {
    const draft = world.draft();
    expect((await world.send(draft, await world.approve(draft))).status).toBe(201);
    world.received.length = 0;
    const asked = await world.outcome(draft.client_message_id, { sub: 'dave' });
    await expectRefusal(asked, 404, 'not_found');
    world.issuer.elsewhere.set('dave slack', 'slack-token-of-dave');
    const daves = { ...draft, text: 'Dave’s own words.' };
    const sent = await world.send(daves, await world.approve(daves, { claims: { sub: 'dave' } }));
    expect([sent.status, sent.headers.has('idempotent-replay')]).toEqual([201, false]);
    expect(world.received).toMatchObject([{ authorization: 'Bearer slack-token-of-dave' }]);
  });

  it('another message of one’s own under an id that was used', async () => {
    const draft = world.draft();
    expect((await world.send(draft, await world.approve(draft))).status).toBe(201);
    world.received.length = 0;
    const other = { ...draft, text: 'Something else.' };
    await expectRefusal(
      await world.send(other, await world.approve(other)),
      409,
      'client_message_id_conflict',
    );
  });

  it('a user who has no such account, without using the approval up', async () => {
    const draft = world.draft();
    const token = await world.approve(draft, { claims: { sub: 'bob' } });
    await expectRefusal(await world.send(draft, token), 409, 'account_not_connected', {
      connection: 'slack',
    });
    world.issuer.elsewhere.set('bob slack', 'slack-token-of-bob');
    expect((await world.send(draft, token)).status).toBe(201);
    expect(world.received).toMatchObject([{ authorization: 'Bearer slack-token-of-bob' }]);
  });
});

describe('a service that does not simply say yes', () => {
  const ok = { ok: true, channel: 'C012345678', ts: '17.0' };
  const google = (code: number, reason: string) => ({
    error: { code, message: 'x', status: 'X', errors: [{ reason }] },
  });

  it.each<[string, 'slack' | 'gmail', ServiceAnswer]>([
    ['Slack drops the connection', 'slack', 'drop'],
    ['Slack gives no answer in time', 'slack', 'hang'],
    ['Slack answers 500', 'slack', { status: 500, body: 'oops' }],
    ['Slack answers with a page', 'slack', { status: 200, body: '<html>' }],
    ['Slack had an error in between', 'slack', { status: 200, body: { ok: false, error: 'internal_error' } }],
    ['Slack sends elsewhere', 'slack', { status: 307, body: '', location: '/api/elsewhere' }],
    ['Gmail drops the connection', 'gmail', 'drop'],
    ['Gmail answers 503', 'gmail', { status: 503, body: google(503, 'backendError') }],
    ['a proxy answers 403 for Gmail', 'gmail', { status: 403, body: 'forbidden' }],
    ['Gmail answers without an id', 'gmail', { status: 200, body: {} }],
  ])('%s: it may have been sent, and is never sent again', async (_what, service, answer) => {
    const draft = service === 'slack' ? world.draft() : mailDraft();
    const token = await world.approve(draft);
    world.answers.push(answer);
    for (let i = 0; i < 3; i++) {
      const response = await world.send(draft, token);
      expect([response.status, await response.json()]).toMatchObject([
        504,
        { code: 'outcome_unknown', final: true },
      ]);
      if (i === 1) world.restart();
    }
    const asked = await world.outcome(draft.client_message_id);
    expect([asked.status, await asked.json()]).toMatchObject([504, { final: true }]);
    expect(world.received).toHaveLength(1);
  });

  it.each<[string, 'slack' | 'gmail', ServiceAnswer, string]>([
    ['Slack asks for patience', 'slack', { status: 429, body: { ok: false } }, 'service_busy'],
    [
      'Gmail asks for patience',
      'gmail',
      { status: 403, body: google(403, 'userRateLimitExceeded') },
      'service_busy',
    ],
    [
      'Slack’s token was revoked',
      'slack',
      { status: 200, body: { ok: false, error: 'token_revoked' } },
      'account_not_connected',
    ],
    [
      'Gmail’s token was revoked',
      'gmail',
      { status: 401, body: google(401, 'authError') },
      'account_not_connected',
    ],
  ])('%s: certainly not sent, so the same request sends it', async (_what, service, answer, code) => {
    const draft = service === 'slack' ? world.draft() : mailDraft();
    const token = await world.approve(draft);
    world.answers.push(answer);
    const exchanges = world.issuer.exchanges.length;
    expect(await (await world.send(draft, token)).json()).toMatchObject({ code });
    expect((await world.outcome(draft.client_message_id)).status).toBe(404);
    expect((await world.send(draft, token)).status).toBe(201);
    expect(world.received).toHaveLength(2);
    // A token that is no longer one is not tried again.
    if (code === 'account_not_connected') {
      expect(world.issuer.exchanges.length).toBeGreaterThan(exchanges);
    }
  });

  it.each<[string, 'slack' | 'gmail', ServiceAnswer]>([
    ['Slack has no such channel', 'slack', { status: 200, body: { ok: false, error: 'channel_not_found' } }],
    ['Gmail takes no such address', 'gmail', { status: 400, body: google(400, 'invalidArgument') }],
  ])('%s: refused, and refused again', async (_what, service, answer) => {
    const draft = service === 'slack' ? world.draft() : mailDraft();
    const token = await world.approve(draft);
    world.answers.push(answer);
    for (const replay of [null, 'true']) {
      const response = await world.send(draft, token);
      expect([response.status, await response.json()]).toMatchObject([422, { code: 'message_rejected' }]);
      expect(response.headers.get('idempotent-replay')).toBe(replay);
    }
    expect(world.received).toHaveLength(1);
  });

  it('can’t be reached: certainly not sent', async () => {
    const closed = await listenOnLoopback(0, () => 0);
    await closed.close();
    world.restart({ serviceUrl: closed.url });
    const draft = world.draft();
    const token = await world.approve(draft);
    await expectRefusal(await world.send(draft, token), 503, 'service_busy');
    world.restart();
    expect((await world.send(draft, token)).status).toBe(201);
  });

  it('is at work while the gateway dies: whether it was sent is never known, and it is not sent again', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    let go = () => {};
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    world.answers.push({ wait, status: 200, body: ok });
    const dying = world.send(draft, token);
    while (world.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    // Another gateway on the same journal, as after kill -9.
    world.restart();
    expect(await (await world.send(draft, token)).json()).toMatchObject({ code: 'outcome_unknown' });
    go();
    await dying;
    expect(await (await world.send(draft, token)).json()).toMatchObject({ code: 'outcome_unknown' });
    expect(world.received).toHaveLength(1);
  });
});

describe('which accounts are connected', () => {
  it('is asked of the identity provider each time, for who asks', async () => {
    const ask = async (sub: string) => {
      const token = await world.issuer.mint({ claims: { scope: 'portfolio:read', sub } });
      const response = await fetch(`${world.url}/v1/connections`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return ((await response.json()) as { connections: unknown }).connections;
    };
    expect(await ask('alice')).toEqual([
      { name: 'broker', connected: false },
      { name: 'slack', connected: true },
      { name: 'gmail', connected: true },
    ]);
    world.issuer.elsewhere.delete('alice gmail');
    expect(await ask('alice')).toContainEqual({ name: 'gmail', connected: false });
    world.issuer.elsewhere.set('alice gmail', 'gmail-token-of-alice');
    expect(await ask('mallory')).toEqual(
      ['broker', 'slack', 'gmail'].map((name) => ({ name, connected: false })),
    );
  });
});
