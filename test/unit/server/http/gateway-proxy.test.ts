import { Hono } from 'hono';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../../../src/auth/session/session.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import { createAuthenticator } from '../../../../src/gateway/auth/authenticator.ts';
import type { Caller } from '../../../../src/gateway/auth/caller.ts';
import type { Clock } from '../../../../src/machine/clock.ts';
import { addGatewayProxy } from '../../../../src/server/http/gateway-proxy.ts';

const NOW = Date.parse('2026-11-02T15:00:00Z');
const caller: Caller = {
  sub: 'alice',
  clientId: 'trade-agent',
  scopes: new Set(['orders:read']),
  jti: 'j',
  authorizationDetails: undefined,
  accessToken: 'brought',
  expiresAt: NOW + 600_000,
};

let asked: { url: string; init: RequestInit; scopes: readonly string[] }[];
let answer: () => Response;
/** Who waits for a moment, and how long. */
let waits: { ms: number; come: () => void; signal: AbortSignal | undefined }[];
let app: Hono;
beforeEach(() => {
  asked = [];
  waits = [];
  answer = () => Response.json({});
  const clock: Clock = {
    now: () => NOW,
    monotonic: () => NOW,
    sleep: (ms, signal) =>
      new Promise((come, gone) => {
        waits.push({ ms, come, signal });
        signal?.addEventListener('abort', () => gone(signal.reason));
      }),
  };
  const session = {
    profile: { gateway: 'https://gateway.example/base/' },
    user: { sub: 'alice', name: undefined, email: undefined },
    fetch: async (url: string, init: RequestInit, scopes: readonly string[]) => {
      asked.push({ url, init, scopes });
      return answer();
    },
  } as unknown as Session;
  const door = createAuthenticator({
    verify: async () => caller,
    inProcessCaller: async () => undefined,
    resource: 'https://agent.example',
    clock,
    log: () => undefined,
  });
  app = new Hono();
  const sessions = {
    forCaller: async () => session,
    forPerson: async () => session,
    grantOffline: async () => undefined,
    grantOfflineTo: async () => undefined,
    revokeOffline: async () => undefined,
  };
  addGatewayProxy(app, door, { sessions, clock });
});

it('goes to the gateway’s own address, whatever the path looks like', async () => {
  for (const path of ['/v1/orders?limit=5', '/v1//evil.example/x', '/v1/%2e%2e/mcp', '/v1/@evil.example']) {
    await app.request(`https://agent.example${path}`);
  }
  expect(asked.map(({ url }) => url)).toEqual([
    'https://gateway.example/base/v1/orders?limit=5',
    'https://gateway.example/base/v1//evil.example/x',
    'https://gateway.example/base/v1/@evil.example',
  ]);
  expect(asked[0]?.scopes).toEqual(['orders:read']);
});

it('passes on method, body, type, key, last event and the trace, and no other header', async () => {
  await app.request('https://agent.example/v1/proposals', {
    method: 'POST',
    body: '{"kind":"order"}',
    headers: {
      authorization: 'DPoP brought',
      dpop: 'proof',
      connection: 'keep-alive, x-planted',
      'transfer-encoding': 'chunked',
      'x-planted': 'yes',
      'content-type': 'application/json',
      'idempotency-key': 'k-1',
      'last-event-id': '7',
    },
  });
  const init: RequestInit = asked[0]?.init ?? {};
  expect(init.method).toBe('POST');
  expect(Buffer.from(init.body as Uint8Array).toString()).toBe('{"kind":"order"}');
  expect(Object.fromEntries(new Headers(init.headers))).toEqual({
    'content-type': 'application/json',
    'idempotency-key': 'k-1',
    'last-event-id': '7',
    traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/),
  });
});

it('gives back status, body and four headers', async () => {
  answer = () =>
    new Response('{"a":1}', {
      status: 429,
      headers: {
        'content-type': 'application/problem+json',
        'retry-after': '7',
        'idempotent-replay': 'true',
        'set-cookie': 'a=b',
        'dpop-nonce': 'n',
        connection: 'close',
      },
    });
  const response = await app.request('https://agent.example/v1/orders');
  expect(response.status).toBe(429);
  expect(await response.json()).toEqual({ a: 1 });
  expect(response.headers.get('retry-after')).toBe('7');
  expect(response.headers.get('idempotent-replay')).toBe('true');
  for (const name of ['set-cookie', 'dpop-nonce', 'connection']) expect(response.headers.get(name)).toBeNull();
});

it('says that the sign-in has ended where the gateway takes the server’s token no longer', async () => {
  answer = () => Response.json({}, { status: 401, headers: { 'www-authenticate': 'DPoP error="x"' } });
  const response = await app.request('https://agent.example/v1/orders');
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({ code: 'token_revoked' });
  expect(response.headers.get('www-authenticate')).toContain('https://agent.example/');
});

const failing =
  (code: 'gateway_unreachable' | 'provider_unreachable' | 'provider_error', retryAfter?: number) => () => {
    throw new TradeAgentError(code, 'no', { hint: 'Do this.', details: { retryAfter } });
  };
it.each<[string, () => Response, string]>([
  [
    'the answer has no end',
    () => new Response('x', { headers: { 'content-length': String(9 * 1024 * 1024) } }),
    '503 gateway_unreachable 5',
  ],
  ['the gateway cannot be reached', failing('gateway_unreachable'), '503 gateway_unreachable 5 Do this.'],
  ['the provider cannot be reached', failing('provider_unreachable'), '503 provider_unreachable 5 Do this.'],
  ['the provider says when it takes more', failing('provider_unreachable', 40), '503 provider_unreachable 40 Do this.'],
  ['the provider will say it once more', failing('provider_error'), '502 provider_error null Do this.'],
])('says whether to come again, and when, where %s', async (_, answered, said) => {
  answer = answered;
  const response = await app.request('https://agent.example/v1/orders');
  const { code, hint } = (await response.json()) as { code: string; hint: string };
  expect(`${response.status} ${code} ${response.headers.get('retry-after')} ${hint}`).toContain(said);
});

describe('a stream of events', () => {
  let cancelled: unknown;
  let told: ReadableStreamDefaultController<Uint8Array>;
  beforeEach(() => {
    cancelled = undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        told = controller;
      },
      cancel: (reason) => {
        cancelled = reason ?? 'cancelled';
      },
    });
    answer = () => new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
  const open = async () => {
    const response = await app.request('https://agent.example/v1/events');
    return (response.body as ReadableStream<Uint8Array>).getReader();
  };

  it('is passed on as it comes, and ends with the token that it was asked for by', async () => {
    const reader = await open();
    told.enqueue(Buffer.from('data: 1\n\n'));
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: 1\n\n');
    expect(waits.map(({ ms }) => ms)).toEqual([600_000]);
    waits[0]?.come();
    expect((await reader.read()).done).toBe(true);
    await expect.poll(() => cancelled).toBeDefined();
  });

  it('is ended at the gateway, and waited for no longer, where whoever read it has gone', async () => {
    const reader = await open();
    await reader.cancel();
    await expect.poll(() => cancelled).toBeDefined();
    expect(waits[0]?.signal?.aborted).toBe(true);
  });

  it('breaks off where the gateway’s does', async () => {
    const reader = await open();
    told.error(new Error('gone'));
    await expect(reader.read()).rejects.toThrow();
  });
});
