import { gmail } from '@googleapis/gmail';
import { getRequestListener } from '@hono/node-server';
import { ErrorCode, WebClient } from '@slack/web-api';
import Database from 'better-sqlite3-multiple-ciphers';
import { OAuth2Client } from 'google-auth-library';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { formatMail } from '../../../src/gateway/messages/gmail.ts';
import { ActiveFaults } from '../../../src/home/identity-provider/faults.ts';
import { createVault } from '../../../src/home/identity-provider/vault.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { type HttpServer, listenOnLoopback } from '../../../src/net/http-server.ts';
import { createThirdParties } from '../../../src/sandbox/third-parties/third-parties.ts';
import { prepareHomeDatabase } from '../../../src/store/home/schema.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';

// Slack's and Google's own SDKs, pointed at the stand-ins: what they make of an answer is what it means.

const client = { client_id: 'vault', client_secret: 'vault-secret' };
const redirectUri = 'http://127.0.0.1:1/callback';
const registered = { ...client, redirect_uris: [redirectUri] };
let server: HttpServer;
let parties: ReturnType<typeof createThirdParties>;
let slackToken: string;
let gmailToken: string;
const databases = { slack: new Database(':memory:'), gmail: new Database(':memory:') };
const faults = new ActiveFaults();

beforeAll(async () => {
  server = await listenOnLoopback(0, Date.now);
  parties = createThirdParties({
    url: server.url,
    databases,
    users: [{ username: 'alice', password: 'pw' }],
    clients: { slack: registered, gmail: registered },
    clock: systemClock,
    faults,
  });
  const listener = getRequestListener(parties.app.fetch);
  server.serve((request, response) => void listener(request, response));
  const at = (name: 'slack' | 'gmail', scope: string) =>
    ({ url: `${server.url}/${name}`, client, redirectUri, scopes: [scope] }) as const;
  const database = prepareHomeDatabase(new Database(':memory:'));
  const gmailScope = 'https://www.googleapis.com/auth/gmail.send';
  const connections = { slack: at('slack', 'chat:write'), gmail: at('gmail', gmailScope) };
  const vault = createVault({ database: createSqliteTransactions(database), key: Buffer.alloc(32, 1), connections });
  for (const name of ['slack', 'gmail'] as const) {
    await vault.connect('alice', name, { username: 'alice', password: 'pw' });
  }
  slackToken = (await vault.accessToken('alice', 'slack')).accessToken;
  gmailToken = (await vault.accessToken('alice', 'gmail')).accessToken;
  database.close();
});
afterAll(async () => {
  await server.close();
  for (const database of Object.values(databases)) database.close();
});
afterEach(() => faults.clear());

describe('Slack', () => {
  const slack = (token: string | undefined) =>
    new WebClient(token, { slackApiUrl: `${server.url}/slack/api/`, retryConfig: { retries: 0 } });

  it('posts by its own SDK, in the name of whose token it is', async () => {
    const answer = await slack(slackToken).chat.postMessage({ channel: '#trading', text: 'hello' });
    const ts = expect.stringMatching(/^\d+\.\d{6}$/);
    expect(answer).toMatchObject({ ok: true, ts, message: { text: 'hello' } });
    expect(answer.channel).toMatch(/^C[A-Z0-9]{8,}$/);
    expect(parties.sent().at(-1)).toMatchObject({ user: 'alice', recipient: '#trading', text: 'hello' });
  });

  it.each([
    ['no token', undefined, { channel: '#trading', text: 'x' }, 'not_authed'],
    ['a token it never gave', 'xoxp-nonsense', { channel: '#trading', text: 'x' }, 'invalid_auth'],
    ['a channel it does not have', 'good', { channel: '#nowhere', text: 'x' }, 'channel_not_found'],
    ['no text', 'good', { channel: '#trading', text: '' }, 'no_text'],
  ] as const)('refuses %s as Slack does', async (_what, token, message, error) => {
    const call = slack(token === 'good' ? slackToken : token).chat.postMessage(message);
    await expect(call).rejects.toMatchObject({ code: ErrorCode.PlatformError, data: { ok: false, error } });
  });

  it('reads markup as Slack does, so that an unescaped text shows as something else', async () => {
    await slack(slackToken).chat.postMessage({ channel: '#trading', text: '<!channel> 1 &lt; 2 &amp; 3' });
    expect(parties.sent().at(-1)?.text).toBe('[calls @channel] 1 < 2 & 3');
  });
});

describe('Gmail', () => {
  const api = (token: string) => {
    const auth = new OAuth2Client();
    auth.setCredentials({ access_token: token, expiry_date: Date.now() + 600_000 });
    return gmail({ version: 'v1', auth, rootUrl: `${server.url}/`, retry: false });
  };
  const raw = (text: string) => Buffer.from(text).toString('base64url');
  const plain = (to: string) => raw(`To: ${to}\r\nSubject: Hi\r\nContent-Type: text/plain\r\n\r\nhello\r\nbob`);

  it('sends by its own SDK, in the name of whose token it is', async () => {
    const { data } = await api(gmailToken).users.messages.send({
      userId: 'me',
      requestBody: { raw: plain('bob@example.com') },
    });
    expect(data).toMatchObject({ id: expect.any(String), threadId: expect.any(String), labelIds: ['SENT'] });
    const mine = { service: 'gmail', user: 'alice', recipient: 'bob@example.com', service_id: data.id };
    expect(parties.sent().at(-1)).toMatchObject({ ...mine, subject: 'Hi', text: 'hello\nbob' });
  });

  it.each([
    ['a token it never gave', 'nonsense', 'me', 'bob@example.com', 401],
    ['another mailbox', 'good', 'eve@example.com', 'bob@example.com', 403],
    ['two recipients in one header', 'good', 'me', 'bob@example.com, eve@example.com', 400],
    ['no recipient', 'good', 'me', '', 400],
  ])('refuses %s as Google does', async (_what, token, userId, to, status) => {
    const call = api(token === 'good' ? gmailToken : token).users.messages.send({
      userId,
      requestBody: { raw: plain(to) },
    });
    await expect(call).rejects.toMatchObject({ status });
  });

  it.each([
    ['ASCII', 'Portfolio summary', 'Equity $1.00\nAAPL: 5'],
    ['other scripts, in subject and text', 'Überblick 概要 '.repeat(6).trim(), 'Aktien für 5 € \n株式 🎉'],
    ['what looks like an encoded word', '=?utf-8?B?WA==?=', 'x'],
    ['a long line', 'x', 'a'.repeat(1900)],
  ])('reads a mail of ours with %s as it was written', async (_what, subject, text) => {
    const sent = { service: 'gmail', recipient: 'bob@example.com', subject, text } as const;
    const times = { client_message_id: 'ta-12345678', expires_at: '2040-01-01T00:00:00Z' };
    const written = formatMail({ ...sent, ...times });
    for (const line of written.split('\r\n')) expect(line).toMatch(/^[\x20-\x7e]{0,78}$/);
    await api(gmailToken).users.messages.send({ userId: 'me', requestBody: { raw: raw(written) } });
    expect(parties.sent().at(-1)).toMatchObject({ recipient: 'bob@example.com', subject, text });
  });
});

describe('their OAuth', () => {
  it('asks for its own scopes alone, and each knows its own tokens', async () => {
    const metadata = await fetch(`${server.url}/slack/.well-known/oauth-authorization-server`);
    const own = { issuer: `${server.url}/slack`, scopes_supported: ['chat:write'] };
    expect(await metadata.json()).toMatchObject(own);
    const other = await fetch(`${server.url}/slack/api/chat.postMessage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gmailToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ channel: '#trading', text: 'x' }),
    });
    expect(await other.json()).toEqual({ ok: false, error: 'invalid_auth' });
  });
});
