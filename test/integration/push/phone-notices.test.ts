import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { createPhoneNoticeSender, openHomeSecrets } from '../../../src/app/home/home-notices.ts';
import {
  type NoticeChannel,
  type NoticeChannelsConfig,
  noticeChannelsConfigSchema,
} from '../../../src/config/notice-channels.ts';
import { storeNoticeSecret } from '../../../src/secrets/notice-secrets.ts';
import { openHttpRecorder } from '../notify/http-recorder.ts';
import { loopbackCertificate, openMailServer } from '../notify/mail-server.ts';
import { openNotifierWorld } from './notifier-world.ts';

const PASSWORD = 'mail-pass-7h3-s3cr3t';
const WHSEC = `whsec_${Buffer.from('a-signing-key-nobody-may-see').toString('base64')}`;

const problems: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'home-'));
const [http, mail] = await Promise.all([openHttpRecorder(), openMailServer({ password: PASSWORD })]);
const world = await openNotifierWorld();
afterAll(async () => {
  await world.close();
  await Promise.all([http.close(), mail.close()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  problems.length = 0;
  http.requests.length = 0;
  mail.received.length = 0;
});

const channels = (change: Record<string, unknown> = {}): NoticeChannelsConfig =>
  noticeChannelsConfigSchema.parse({
    hook: { kind: 'webhook', url: `${http.url}/hook` },
    push: { kind: 'ntfy', server: http.url, topic: 'alices-home' },
    mail: {
      kind: 'email',
      host: 'localhost',
      port: mail.port,
      user: 'alice',
      from: 'home@example.com',
      to: ['alice@example.com'],
      ca_file: loopbackCertificate,
    },
    off: { kind: 'ntfy', server: http.url, topic: 'off', enabled: false },
    other: { kind: 'ntfy', server: http.url, topic: 'findings-alone', approvals: false },
    ...change,
  });
const keep = (name: string, secret: string) =>
  storeNoticeSecret(openHomeSecrets(folder), name, channels()[name] as NoticeChannel, secret);
const ring = (notices: NoticeChannelsConfig) =>
  world.restart({
    notices: createPhoneNoticeSender({
      channels: notices,
      owner: async () => 'alice',
      secrets: openHomeSecrets(folder),
      channelDeps: { fetch, env: {}, platform: process.platform, command: 'trade-agent home notices' },
      clock: {
        now: () => Date.now(),
        monotonic: () => Date.now(),
        sleep: world.clock.sleep.bind(world.clock),
      },
      onError: (problem) => problems.push(problem),
    }),
  });

const hooked = () => http.requests.find(({ path }) => path === '/hook');
/** What the webhook was told, its signature verified. */
const payloadOf = (hook = hooked()) =>
  new Webhook(WHSEC).verify(hook?.body ?? '', hook?.headers as Record<string, string>);
const topics = () => http.requests.flatMap(({ path, body }) => (path === '/' ? [JSON.parse(body).topic] : [])).sort();

it('tell the owner by every channel, signed, with the code and no way to decide', async () => {
  await keep('hook', WHSEC);
  await keep('mail', PASSWORD);
  await ring(channels());
  const request = await world.ask('alice');
  await expect.poll(() => mail.received).toHaveLength(1);
  await expect.poll(() => http.requests).toHaveLength(2);
  expect(problems).toEqual([]);

  const hook = hooked();
  expect(payloadOf(hook)).toMatchObject({
    type: 'trade_agent.approval',
    data: {
      severity: 'warning',
      approval: {
        id: request.id,
        code: 'K7QP',
        order: 'Buy 5 AAPL · PAPER',
        phone: 'https://home.example.net/phone',
      },
    },
  });
  const push = JSON.parse(http.requests.find(({ path }) => path === '/')?.body ?? '{}');
  expect(push).toMatchObject({
    topic: 'alices-home',
    title: 'Check your phone: Buy 5 AAPL · PAPER',
    sequence_id: hook?.headers['webhook-id'],
    priority: 5,
  });
  expect(mail.received[0]).toMatchObject({ user: 'alice', secure: true, to: ['alice@example.com'] });
  expect(mail.received[0]?.text).toContain('K7QP');
  for (const text of [hook?.body, push.message, mail.received[0]?.text]) {
    expect(text).not.toContain('auth-req');
    const addresses = [...(text ?? '').matchAll(/https:[^\s"]+/g)].map(([url]) => url);
    expect(new Set(addresses)).toEqual(new Set(['https://home.example.net/phone']));
  }
  // What is received may not be noted yet; a bell that is ended before rings for it again.
  await expect.poll(() => world.clock.next()).toBeGreaterThan(50_000);
});

it('keep their secrets in the home’s folder, sealed, for its owner alone', () => {
  const files = readdirSync(folder).filter((name) => !name.endsWith('.lock'));
  expect(files.toSorted()).toEqual(['credentials-home.json', 'credentials-home.key']);
  for (const file of files) {
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, file), 'utf8')).not.toMatch(/s3cr3t|whsec|nobody-may-see/);
  }
});

it('say nothing of anybody else’s orders', async () => {
  await ring(channels());
  await world.ask('bob');
  await expect.poll(() => world.clock.next()).toBeGreaterThan(50_000);
  expect([http.requests, mail.received, problems]).toEqual([[], [], []]);
});

it('that fail say which, never what, and hold up no other', async () => {
  const { push } = channels();
  await ring({
    ...noticeChannelsConfigSchema.parse({
      nowhere: { kind: 'ntfy', server: 'http://127.0.0.1:1', topic: 'x', timeout: 1 },
    }),
    ...noticeChannelsConfigSchema.parse({ unsigned: { kind: 'webhook', url: `${http.url}/hook` } }),
    ...(push === undefined ? {} : { push }),
  });
  await world.ask('alice');
  await expect.poll(() => http.requests).toHaveLength(1);
  for (let tries = 0; tries < 2; tries++) {
    await expect.poll(() => world.clock.next()).toBeLessThanOrEqual(2000);
    world.clock.advance(2000);
  }
  await expect.poll(() => problems).toHaveLength(2);
  expect(problems.toSorted()).toEqual([
    expect.stringMatching(/^notice nowhere: 127\.0\.0\.1:1 can't be reached/),
    expect.stringMatching(
      /^notice unsigned: the signing secret .* is missing; run "trade-agent home notices set-secret unsigned"/,
    ),
  ]);
  expect(problems.join()).not.toMatch(/AAPL|K7QP/);
  expect(world.problems).toEqual([]);
});

it('tell what was filled by the channels that are to, with its facts for programs', async () => {
  await keep('hook', WHSEC);
  await ring(channels({ mail: { kind: 'ntfy', server: http.url, topic: 'requests-alone', fills: false } }));
  const facts = { order_id: 'order-1', proposal: 'pr_1', account: 'PA3ALICE01', symbol: 'AAPL', side: 'buy' };
  await world.push().notifyFill({
    key: 'order-1',
    user: 'alice',
    headline: 'Bought 5 AAPL at $179.51',
    account: 'PA3ALICE01 at Alpaca',
    environment: 'paper',
    at: '2026-01-30T14:30:10Z',
    facts: { ...facts, qty: '5', price: '179.51', status: 'filled' },
  });
  expect(problems).toEqual([]);
  expect(payloadOf()).toMatchObject({
    type: 'trade_agent.fill',
    timestamp: '2026-01-30T14:30:10Z',
    data: {
      severity: 'info',
      title: 'Bought 5 AAPL at $179.51 · PAPER',
      fill: { ...facts, price: '179.51' },
    },
  });
  expect(topics()).toEqual(['alices-home', 'findings-alone']);
});

it('tell of an order that nobody expected by every channel, as critical, with its facts for programs', async () => {
  await keep('hook', WHSEC);
  const quiet = { kind: 'ntfy', server: http.url, fills: false, approvals: false };
  await ring(channels({ mail: { ...quiet, topic: 'quiet' } }));
  const facts = {
    event: 'placed_late' as const,
    account: 'PA3ALICE01',
    order_ids: ['order-1'],
    excess: '$1,616.08 of $1,200.00',
  };
  const told = { title: 'Placed late: BUY 5 AAPL', body: 'It reached the broker later.' };
  await world.push().notifyOrder({ key: 'late', user: 'alice', ...told, at: '2026-01-30T14:40:00Z', facts });
  expect(problems).toEqual([]);
  expect(payloadOf()).toMatchObject({
    type: 'trade_agent.order',
    timestamp: '2026-01-30T14:40:00Z',
    data: { severity: 'critical', ...told, order: facts },
  });
  expect(topics()).toEqual(['alices-home', 'findings-alone', 'quiet']);
});
