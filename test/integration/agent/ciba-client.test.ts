import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createApprovalClient } from '../../../src/auth/approval-client.ts';
import type { CredentialStore } from '../../../src/auth/credential-store/credential-store.ts';
import { openFileStore } from '../../../src/auth/credential-store/file-store.ts';
import { generatePrivateJwk } from '../../../src/auth/dpop-key.ts';
import { profileSchema, type ResolvedProfile } from '../../../src/auth/profile.ts';
import { type Clock, systemClock } from '../../../src/trading/clock.ts';
import { TradeAgentError } from '../../../src/trading/errors.ts';
import { type LyingProvider, startLyingProvider } from '../auth/lying-provider.ts';
import { createWorld, options, play, type World } from './world.ts';

/*
 * The whole client, from the graph to the wire, against a provider that misbehaves as told: what FAPI-CIBA's client
 * tests ask for. Answers to single polls are in test/integration/auth/lying-provider.test.ts.
 */

let provider: LyingProvider;
let world: World;
/** When each poll was sent, in seconds of the agent's clock. */
let polls: number[];
let clock: Clock & { skip(seconds: number): void };
beforeEach(async () => {
  provider = await startLyingProvider();
  onTestFinished(() => provider.close());
  world = await createWorld();
  polls = [];
  stall = 0;
  clock = fastClock();
});

const error = (code: string, status = 400) => ({ status, body: JSON.stringify({ error: code }) });

/** The agent's seconds to one of ours. */
const SPEED = 25;

/** Time that runs faster than ours, for polls and pauses alike. */
function fastClock() {
  const started = Date.now();
  let skipped = 0;
  return {
    now: () => started + (Date.now() - started) * SPEED + skipped,
    // Never early: the system's timers may be by a millisecond, which here would be many.
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.ceil(ms / SPEED) + 1, signal),
    skip(seconds: number) {
      skipped += seconds * 1000;
    },
  };
}

function someStore(): CredentialStore {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-ciba-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return openFileStore({ folder, profile: 'test' });
}

/** An agent that asks the lying provider. The order is AAPL, and the run waits for it. */
async function agent(store = someStore()) {
  const profile: ResolvedProfile = {
    ...profileSchema.parse({}),
    name: 'test',
    issuer: provider.issuer,
    gateway: world.gateway.url,
    audience: world.gateway.url,
    login_client: { client_id: 'login' },
    credential_store: 'file',
    phone: undefined,
  };
  await store.set({
    session: JSON.stringify({
      issuer: provider.issuer,
      client_id: 'login',
      sub: 'alice',
      scopes: ['market:read'],
    }),
    dpop_key: JSON.stringify(await generatePrivateJwk()),
  });
  const approvalClient = createApprovalClient({ profile, store, clock, fetch: timedFetch });
  return world.agent({ profile, approvalClient, clock });
}

/** How long the process stands still just before its first poll goes out, milliseconds of ours. */
let stall = 0;

const timedFetch: typeof fetch = (input, init) => {
  if (String(input).endsWith('/token')) {
    if (polls.length === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stall);
    polls.push(clock.now() / 1000);
  }
  return fetch(input, init);
};

/** Seconds from each poll to the next; each time is read to the millisecond of ours. */
const between = () => polls.slice(1).map((sent, i) => sent - (polls[i] ?? 0) + 0.1);
/** Answers the polls with these in turn; the last for ever. */
function answer(...answers: { status: number; body: string; headers?: Record<string, string> }[]) {
  provider.lies.tokenErrors = answers;
}
const run = async () => (await play((await agent()).run({ prompt: 'buy 5 AAPL' }, options()))).result;

describe('the client', () => {
  it('polls no faster than the interval it was given', async () => {
    provider.lies.backchannel = (response) => ({ ...response, interval: 7 });
    answer(error('authorization_pending'), error('authorization_pending'), error('access_denied'));
    expect((await run()).status).toBe('denied');
    expect(between()).toHaveLength(2);
    for (const seconds of between()) expect(seconds).toBeGreaterThanOrEqual(7);
  });

  it('counts the interval from the send, also where the process stood still just before it', async () => {
    provider.lies.backchannel = (response) => ({ ...response, interval: 7 });
    stall = 40;
    answer(error('authorization_pending'), error('access_denied'));
    await run();
    expect(between()[0]).toBeGreaterThanOrEqual(7);
  });

  it('polls every five seconds where no interval was given', async () => {
    answer(error('authorization_pending'), error('access_denied'));
    await run();
    expect(between()[0]).toBeGreaterThanOrEqual(5);
  });

  it('waits at least five seconds longer after slow_down, and keeps to it', async () => {
    answer(error('slow_down'), error('authorization_pending'), error('slow_down'), error('access_denied'));
    await run();
    const [first = 0, second = 0, third = 0] = between();
    expect(first).toBeGreaterThanOrEqual(10);
    expect(second).toBeGreaterThanOrEqual(10);
    expect(third).toBeGreaterThanOrEqual(15);
  });

  it('leaves the provider alone for as long as Retry-After says', async () => {
    answer(
      { ...error('temporarily_unavailable', 503), headers: { 'retry-after': '75' } },
      error('access_denied'),
    );
    await run();
    expect(between()[0]).toBeGreaterThanOrEqual(75);
  });

  it.each([
    ['access_denied', 'denied', 'approval_denied'],
    ['expired_token', 'expired', 'approval_expired'],
    ['invalid_request', 'blocked', 'provider_error'],
    ['unauthorized_client', 'blocked', 'provider_error'],
    ['unsupported_grant_type', 'blocked', 'provider_error'],
    ['an_error_nobody_knows', 'blocked', 'provider_error'],
  ])('never polls again after %s, not in a later resume either', async (code, status, reason) => {
    answer(error(code));
    const result = await run();
    expect(result).toMatchObject({ status: reason === 'provider_error' ? 'failed' : status });
    expect(result.approvals).toMatchObject([{ status }]);
    await play((await agent()).resume(result.thread, options()));
    expect(polls).toHaveLength(1);
    expect(world.gateway.posts).toEqual([]);
  });

  it('never has two polls under way for one request', async () => {
    let underWay = 0;
    let most = 0;
    provider.lies.beforeToken = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 20));
      underWay -= 1;
    };
    answer(
      error('authorization_pending'),
      error('slow_down'),
      error('server_error', 500),
      error('authorization_pending'),
      error('access_denied'),
    );
    await run();
    expect(polls).toHaveLength(5);
    expect(most).toBe(1);
  });

  it.each([
    ['half a body', { status: 200, body: '{"access_token":"pla' }],
    ['a page', { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['nothing', { status: 200, body: '' }],
    ['a bad gateway', { status: 502, body: '<html>' }],
    ['a page that says 404', { status: 404, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['a page that says 403', { status: 403, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['a firewall’s no', { status: 403, body: '{"message":"Forbidden"}' }],
  ])('takes %s for no answer, and asks again', async (_, malformed) => {
    answer(malformed, error('access_denied'));
    expect((await run()).status).toBe('denied');
    expect(polls).toHaveLength(2);
  });

  it('asks when it may where it has asked too often, and says that it waits', async () => {
    const asked: number[] = [];
    provider.lies.instead = {
      '/backchannel': () => {
        asked.push(clock.now() / 1000);
        if (asked.length === 3) provider.lies.instead = {};
        return Response.json(
          { error: 'too_many_requests' },
          { status: 429, headers: { 'retry-after': '40' } },
        );
      },
    };
    answer(error('access_denied'));
    const { events, result } = await play((await agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result.approvals).toMatchObject([{ status: 'denied' }]);
    expect(asked).toHaveLength(3);
    for (const [index, at] of asked.slice(1).entries()) {
      expect(at - (asked[index] ?? 0)).toBeGreaterThanOrEqual(40);
    }
    const notices = events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
    expect(notices).toEqual([expect.stringContaining('takes no more questions for 40 s;')]);
  });

  it('asks nobody where it would have to wait past the approval’s own end', async () => {
    let asked = 0;
    provider.lies.instead = {
      '/backchannel': () => {
        asked += 1;
        return new Response('', { status: 503, headers: { 'retry-after': '3600' } });
      },
    };
    const result = await run();
    expect(result).toMatchObject({
      error: { code: 'provider_unreachable' },
      approvals: [{ status: 'cancelled' }],
    });
    expect(asked).toBe(1);
  });

  it.each([['auth_req_id'], ['expires_in']])('asks nobody to wait for a request without %s', async (name) => {
    provider.lies.backchannel = ({ [name]: _, ...response }) => response;
    const result = await run();
    expect(result).toMatchObject({ status: 'failed', error: { code: 'provider_error' } });
    expect(polls).toEqual([]);
  });

  it('takes times that are no whole seconds', async () => {
    provider.lies.backchannel = (response) => ({ ...response, interval: 0.5, expires_in: 299.9999 });
    provider.lies.token = (response) => ({ ...response, expires_in: 99.9999 });
    const { approvals } = await run();
    // The lying provider's token is for no order: what it is sent for is refused, but it was kept.
    expect(approvals).toMatchObject([{ status: 'blocked', reason: 'details_mismatch' }]);
    expect(provider.backchannelRequests()).toBe(1);
    expect(world.gateway.posts).toHaveLength(1);
  });

  it('leaves an approval pending while its own keys are locked away', async () => {
    answer(error('authorization_pending'));
    const { result } = await play((await agent()).run({ prompt: 'buy 5 AAPL' }, options('detach')));
    const locked = new TradeAgentError('credential_store_locked', 'the keychain is locked');
    const store = { ...someStore(), get: () => Promise.reject(locked) };
    const resumed = await play((await agent(store)).resume(result.thread, options('detach')));
    expect(resumed.result).toMatchObject({
      error: { code: 'credential_store_locked' },
      approvals: [{ status: 'requested' }],
    });
    answer(error('access_denied'));
    const again = await play((await agent()).resume(result.thread, options()));
    expect(again.result.approvals).toMatchObject([{ status: 'denied' }]);
  });

  it('calls an approval expired, not denied, that its own deadline ended', async () => {
    provider.lies.backchannel = (response) => ({ ...response, expires_in: 12 });
    provider.lies.beforeToken = async () => {
      // The person's time runs out during the second poll, and the provider calls that a denial.
      if (polls.length === 2) clock.skip(20);
    };
    answer(error('authorization_pending'), error('access_denied'));
    expect((await run()).approvals).toMatchObject([{ status: 'expired' }]);
  });

  it('asks again, and says why, when the approval was given and its answer lost', async () => {
    answer(error('invalid_grant'), error('access_denied'));
    const { events } = await play((await agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    const notices = events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
    expect(notices).toEqual([expect.stringMatching(/lost .*approve it once more/)]);
    expect(provider.backchannelRequests()).toBe(2);
    expect(world.gateway.posts).toEqual([]);
  });

  it('places nothing with a token whose ID token is bad', async () => {
    provider.lies.claims = (claims) => ({ ...claims, iss: 'https://evil.example' });
    const result = await run();
    expect(result.approvals).toMatchObject([{ status: 'blocked' }]);
    expect(world.gateway.posts).toEqual([]);
  });
});
