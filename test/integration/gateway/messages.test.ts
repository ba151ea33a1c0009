import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../../src/net/http-server.ts';
import { parseMail } from '../../../src/sandbox/third-parties/gmail.ts';
import { buildTradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { type MessageDraft, messageDraftSchema } from '../../../src/trading/message.ts';
import { buildMessageSendDetails } from '../../../src/trading/message-details.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import type { Reply } from './support/answering-server.ts';
import { type MessageWorld, startMessageWorld } from './support/message-world.ts';
import { type Answer, answerOf } from './support/world.ts';

let world: MessageWorld;
beforeAll(async () => {
  world = await startMessageWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.received.length = 0;
  world.answers.length = 0;
});

const mail = { service: 'gmail', recipient: 'bob@example.com', subject: 'Portfolio summary' } as const;
const mailDraft = () => world.draft(mail);

/** The refusal is this one, and nothing reached Slack or Gmail. */
async function expectRefusal(
  answer: Response | Promise<Response | Answer>,
  status: number,
  code: string,
  more: Record<string, unknown> = {},
): Promise<void> {
  const given = await answer;
  const read = given instanceof Response ? await answerOf(given) : given;
  expect(read).toMatchObject({ status, body: { status, code, ...more } });
  expect(world.received).toEqual([]);
}

describe('an approved message', () => {
  it('goes to Slack as it was approved, with everything off that would show it as something else', async () => {
    const text = 'a < b & c > d\n<!channel> *x* http://example.com';
    const { draft, send } = await world.approved({ text });
    const { status, body } = await answerOf(send());
    expect(status).toBe(201);
    expect(body).toEqual({
      client_message_id: draft.client_message_id,
      service: 'slack',
      recipient: '#trading',
      service_id: '17.1',
      sent_at: expect.any(String),
    });
    const headers = { authorization: 'Bearer slack-token-of-alice' };
    expect(world.received).toMatchObject([{ path: '/api/chat.postMessage', headers }]);
    expect(world.received[0]?.body).toEqual({
      channel: '#trading',
      text: 'a &lt; b &amp; c &gt; d\n&lt;!channel&gt; *x* http://example.com',
      mrkdwn: false,
      parse: 'none',
      link_names: false,
      unfurl_links: false,
      unfurl_media: false,
    });
  });

  it('goes to Gmail as it was approved', async () => {
    const text = 'Überschuß € 株\nline two';
    const { send } = await world.approved({ ...mail, text });
    expect((await send()).status).toBe(201);
    const headers = { authorization: 'Bearer gmail-token-of-alice' };
    expect(world.received).toMatchObject([{ path: '/gmail/v1/users/me/messages/send', headers }]);
    const [{ raw }] = world.received.map(({ body }) => body) as [{ raw: string }];
    const { recipient: to, subject } = mail;
    expect(parseMail(Buffer.from(raw, 'base64url').toString())).toEqual({ to, subject, text });
  });

  it('as long as one may be fits into a token and a header', async () => {
    for (const text of ['株'.repeat(1333), '"'.repeat(2000)]) {
      const { send } = await world.approved({ ...mail, text });
      expect((await send()).status).toBe(201);
    }
  });

  it('is sent once: asked for again, the first result is told again', async () => {
    const { draft, send } = await world.approved();
    const [first, second] = await Promise.all([answerOf(send()), answerOf(send())]);
    const third = await answerOf(send());
    for (const { body } of [second, third]) expect(body).toEqual(first.body);
    expect([first, second, third].map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    expect(third.headers.get('idempotent-replay')).toBe('true');
    expect((await world.outcome(draft.client_message_id)).body).toEqual(first.body);
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
    const { draft, token } = await world.approved(mail);
    const changed = { ...draft, [field]: others[field] };
    // By Slack it would need another recipient and no subject, which makes no message of it: that is said first.
    if (field === 'service') return expectRefusal(world.send(changed, token), 400, 'invalid_message');
    await expectRefusal(world.send(changed, token), 403, 'details_mismatch', {
      fields: expect.arrayContaining([field, 'digest']),
    });
    const { [field]: _, ...removed } = draft;
    await expectRefusal(world.send(removed, token), 400, 'invalid_message');
  });

  it('to another service, made a message of that', async () => {
    const { draft, token } = await world.approved(mail);
    const changed = { ...draft, subject: undefined, service: 'slack', recipient: '#trading' };
    const fields = ['digest', 'recipient', 'service', 'subject'];
    await expectRefusal(world.send(changed, token), 403, 'details_mismatch', { fields });
  });

  it('by one space, or one letter in another script that looks the same', async () => {
    const { draft, token } = await world.approved({ text: 'Sell AAPL' });
    for (const text of ['Sell AAPL ', ' Sell AAPL', 'Sell  AAPL', 'Sell AΑPL', 'sell AAPL']) {
      const changed = world.send({ ...draft, text }, token);
      await expectRefusal(changed, 403, 'details_mismatch', { fields: ['digest', 'text'] });
    }
  });

  /** Sends an approved mail by a token with other details. */
  const sendBy = async (changes: Record<string, unknown>) => {
    const draft = mailDraft();
    const details = { ...buildMessageSendDetails(draft, { gateway: world.url }), ...changes };
    return world.send(draft, await world.approve(draft, { claims: { authorization_details: [details] } }));
  };

  it.each(fields)('with the details in the token changed in %s alone', async (field) => {
    const sent = sendBy({ [field]: others[field] });
    await expectRefusal(sent, 403, 'details_mismatch', { fields: [field] });
  });

  it.each([
    ['another gateway', { locations: ['https://elsewhere.example'] }, 'details_mismatch'],
    ['another action', { actions: ['delete'] }, 'approval_malformed'],
    ['another digest', { digest: 'A'.repeat(43) }, 'details_mismatch'],
    ['another identifier', { identifier: 'ta-12345678' }, 'details_mismatch'],
    ['a field nobody knows', { cc: 'eve@example.com' }, 'approval_malformed'],
    ['the type of an order', { type: 'trade_order' }, 'approval_missing'],
  ])('with details for %s', async (_what, change, code) => {
    await expectRefusal(sendBy(change), 403, code);
  });
});

describe('what is refused before anything is looked at', () => {
  it('no token, the scope of an order, no approval, and two', async () => {
    const draft = world.draft();
    const details = buildMessageSendDetails(draft, { gateway: world.url });
    await expectRefusal(world.send(draft, undefined), 401, 'token_missing');
    const order = await world.approve(draft, { claims: { scope: 'openid orders:write' } });
    await expectRefusal(world.send(draft, order), 403, 'insufficient_scope');
    const bare = await world.approve(draft, { claims: { authorization_details: undefined } });
    await expectRefusal(world.send(draft, bare), 403, 'approval_missing');
    const two = await world.approve(draft, { claims: { authorization_details: [details, details] } });
    await expectRefusal(world.send(draft, two), 403, 'approval_ambiguous');
  });

  it('the approval of an order, with the scope of a message', async () => {
    const order = buildTradeOrderDetails(anOrderDraft(), { gateway: world.url });
    const { send } = await world.approved({}, { authorization_details: [order] });
    await expectRefusal(send(), 403, 'approval_missing');
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
    const { draft, token } = await world.approved(mail);
    await expectRefusal(world.send({ ...draft, ...change }, token), 400, 'invalid_message');
  });

  it('an approval whose time ran out', async () => {
    const { send } = await world.approved();
    world.clock.advance(241_000);
    await expectRefusal(send(), 403, 'approval_expired');
  });

  it('an approval that was used for another message', async () => {
    const [first, second] = [await world.approved({}, { jti: 'j' }), await world.approved({}, { jti: 'j' })];
    expect((await first.send()).status).toBe(201);
    world.received.length = 0;
    await expectRefusal(second.send(), 403, 'approval_already_used');
  });

  it('to tell a user of another’s message of the same id, which keeps nobody from theirs', async () => {
    const { draft, send } = await world.approved();
    expect((await send()).status).toBe(201);
    world.received.length = 0;
    await expectRefusal(world.outcome(draft.client_message_id, { sub: 'dave' }), 404, 'not_found');
    world.issuer.elsewhere.set('dave slack', 'slack-token-of-dave');
    const daves = await world.approved({ ...draft, text: 'Dave’s own words.' }, { sub: 'dave' });
    const sent = await daves.send();
    expect([sent.status, sent.headers.has('idempotent-replay')]).toEqual([201, false]);
    const headers = { authorization: 'Bearer slack-token-of-dave' };
    expect(world.received).toMatchObject([{ headers }]);
  });

  it('another message of one’s own under an id that was used', async () => {
    const { draft, send } = await world.approved();
    expect((await send()).status).toBe(201);
    world.received.length = 0;
    const other = await world.approved({ ...draft, text: 'Something else.' });
    await expectRefusal(other.send(), 409, 'client_message_id_conflict');
  });

  it('a user who has no such account, without using the approval up', async () => {
    const { send } = await world.approved({}, { sub: 'bob' });
    await expectRefusal(send(), 409, 'account_not_connected', { connection: 'slack' });
    world.issuer.elsewhere.set('bob slack', 'slack-token-of-bob');
    expect((await send()).status).toBe(201);
    expect(world.received).toMatchObject([{ headers: { authorization: 'Bearer slack-token-of-bob' } }]);
  });
});

describe('a service that does not simply say yes', () => {
  const google = (status: number, reason: string): Reply => ({
    status,
    body: { error: { code: status, message: 'x', status: 'X', errors: [{ reason }] } },
  });

  it.each<['slack' | 'gmail', Reply]>([
    ['slack', 'drop'],
    ['slack', 'hang'],
    ['slack', { status: 500, body: 'oops' }],
    ['slack', { body: '<html>' }],
    ['slack', { body: { ok: false, error: 'internal_error' } }],
    ['slack', { status: 307, body: '', headers: { location: '/api/elsewhere' } }],
    ['gmail', 'drop'],
    ['gmail', google(503, 'backendError')],
    // Of a proxy.
    ['gmail', { status: 403, body: 'forbidden' }],
    // Without an id.
    ['gmail', { body: {} }],
  ])('%s answers %j: it may have been sent, and is never sent again', async (service, answer) => {
    const { draft, send } = await world.approved(service === 'slack' ? {} : mail);
    world.answers.push(answer);
    const unknown = { status: 504, body: { code: 'outcome_unknown', final: true } };
    for (let i = 0; i < 3; i++) {
      expect(await answerOf(send())).toMatchObject(unknown);
      if (i === 1) world.restart();
    }
    expect(await world.outcome(draft.client_message_id)).toMatchObject(unknown);
    expect(world.received).toHaveLength(1);
  });

  it.each<['slack' | 'gmail', Reply, string]>([
    ['slack', { status: 429, body: { ok: false } }, 'service_busy'],
    ['gmail', google(403, 'userRateLimitExceeded'), 'service_busy'],
    ['slack', { body: { ok: false, error: 'token_revoked' } }, 'account_not_connected'],
    ['gmail', google(401, 'authError'), 'account_not_connected'],
  ])('%s answers %j: certainly not sent, so the same request sends it', async (service, answer, code) => {
    const { draft, send } = await world.approved(service === 'slack' ? {} : mail);
    world.answers.push(answer);
    const exchanges = world.issuer.exchanges.length;
    expect((await answerOf(send())).body).toMatchObject({ code });
    expect((await world.outcome(draft.client_message_id)).status).toBe(404);
    expect((await send()).status).toBe(201);
    expect(world.received).toHaveLength(2);
    // A token that is no longer one is not tried again.
    if (code === 'account_not_connected') {
      expect(world.issuer.exchanges.length).toBeGreaterThan(exchanges);
    }
  });

  it.each<['slack' | 'gmail', Reply]>([
    ['slack', { body: { ok: false, error: 'channel_not_found' } }],
    ['gmail', google(400, 'invalidArgument')],
  ])('%s answers %j: refused, and refused again', async (service, answer) => {
    const { send } = await world.approved(service === 'slack' ? {} : mail);
    world.answers.push(answer);
    for (const replay of [null, 'true']) {
      const { status, headers, body } = await answerOf(send());
      expect([status, body]).toMatchObject([422, { code: 'message_rejected' }]);
      expect(headers.get('idempotent-replay')).toBe(replay);
    }
    expect(world.received).toHaveLength(1);
  });

  it('can’t be reached: certainly not sent', async () => {
    const closed = await listenOnLoopback(0, () => 0);
    await closed.close();
    world.restart({ serviceUrl: closed.url });
    const { send } = await world.approved();
    await expectRefusal(send(), 503, 'service_busy');
    world.restart();
    expect((await send()).status).toBe(201);
  });

  it('is at work while the gateway dies: whether it was sent is never known, and it is not sent again', async () => {
    const { send } = await world.approved();
    const answer = Promise.withResolvers<Reply>();
    world.answers.push(answer.promise);
    const dying = send();
    while (world.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    // Another gateway on the same journal, as after kill -9.
    world.restart();
    expect((await answerOf(send())).body).toMatchObject({ code: 'outcome_unknown' });
    answer.resolve({ body: { ok: true, channel: 'C012345678', ts: '17.0' } });
    await dying;
    expect((await answerOf(send())).body).toMatchObject({ code: 'outcome_unknown' });
    expect(world.received).toHaveLength(1);
  });
});

describe('which accounts are connected', () => {
  it('is asked of the identity provider each time, for who asks', async () => {
    const ask = async (sub: string) => (await world.read('/v1/connections', { sub })).body.connections;
    expect(await ask('alice')).toEqual([
      { name: 'broker', connected: false },
      { name: 'slack', connected: true },
      { name: 'gmail', connected: true },
    ]);
    world.issuer.elsewhere.delete('alice gmail');
    expect(await ask('alice')).toContainEqual({ name: 'gmail', connected: false });
    world.issuer.elsewhere.set('alice gmail', 'gmail-token-of-alice');
    const none = ['broker', 'slack', 'gmail'].map((name) => ({ name, connected: false }));
    expect(await ask('mallory')).toEqual(none);
  });
});
