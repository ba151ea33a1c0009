import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Alpaca, ApiError } from '@alpacahq/alpaca-trade-api';
import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { ActiveFaults } from '../../../src/home/identity-provider/faults.ts';
import type { Clock } from '../../../src/machine/clock.ts';
import { createMarket, type Market } from '../../../src/sandbox/market/market.ts';
import type { AccountHistory } from '../../../src/sandbox/paper-broker/books/seed-accounts.ts';
import {
  createPaperBroker,
  type PaperBroker,
  type PaperBrokerOptions,
} from '../../../src/sandbox/paper-broker/paper-broker.ts';
import type { MarketHours } from '../../../src/trading/trading-calendar.ts';

/** Time that only a test moves. Whoever sleeps wakes when the time comes. */
export interface ManualClock extends Clock {
  advance(ms: number): Promise<void>;
}

export function manualClock(start: number): ManualClock {
  let time = start;
  const sleepers = new Set<{ until: number; wake: () => void }>();
  return {
    now: () => time,
    monotonic: () => time,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { until: time + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
    async advance(ms) {
      time += ms;
      for (const sleeper of sleepers) {
        if (sleeper.until > time) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** Tuesday, 24 November 2026, noon in New York. */
export const TUESDAY_NOON = Date.parse('2026-11-24T17:00:00Z');
export const ADMIN_SECRET = 'admin-secret-of-the-test';
export const REDIRECT_URI = 'http://127.0.0.1:9/callback';
export const CLIENT = { client_id: 'vault', client_secret: 'client-secret-of-the-test' };
export const PASSWORDS = { alice: 'alice-broker-password', bob: 'bob-broker-password' };
export const KEYS = {
  alice: { keyId: 'PKALICE00000000001', secret: 'alice/secret+of/the+test' },
  bob: { keyId: 'PKBOB0000000000001', secret: 'bob/secret+of/the+test' },
};

export interface World {
  url: string;
  broker: PaperBroker;
  market: Market;
  clock: ManualClock;
  faults: ActiveFaults;
  alpaca(username?: keyof typeof PASSWORDS, url?: string): Promise<Alpaca>;
  token(username?: keyof typeof PASSWORDS, scope?: string): Promise<string>;
  close(): Promise<void>;
}

export async function startWorld(
  options: {
    hours?: MarketHours;
    now?: number;
    partialFills?: boolean;
    database?: Database.Database;
    requestsPerMinute?: number;
    /** What happened in alice's account before. */
    story?: AccountHistory;
    users?: PaperBrokerOptions['users'];
  } = {},
): Promise<World> {
  const clock = manualClock(options.now ?? TUESDAY_NOON);
  const { story } = options;
  const market = createMarket({ seed: 'test', clock, hours: options.hours ?? 'always' });
  const faults = new ActiveFaults();
  let listener: ReturnType<typeof getRequestListener> | undefined;
  const server: Server = createServer((request, response) => void listener?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const database = options.database ?? new Database(':memory:');
  const broker = createPaperBroker({
    url,
    database,
    market,
    clock,
    faults,
    users: options.users ?? [
      {
        username: 'alice',
        password: PASSWORDS.alice,
        name: 'Alice',
        key: KEYS.alice,
        ...(story && { story }),
      },
      { username: 'bob', password: PASSWORDS.bob, name: 'Bob', key: KEYS.bob },
    ],
    oauthClients: [{ ...CLIENT, redirect_uris: [REDIRECT_URI] }],
    partialFills: options.partialFills ?? false,
    adminSecret: ADMIN_SECRET,
    ...(options.requestsPerMinute === undefined ? {} : { requestsPerMinute: options.requestsPerMinute }),
  });
  listener = getRequestListener(broker.app.fetch);
  server.on('upgrade', broker.upgrade);

  const token = async (username: keyof typeof PASSWORDS = 'alice', scope = 'account:write trading') => {
    const { code, verifier } = await authorize(url, username, { scope });
    const answer = await exchangeCode(url, code ?? '', verifier);
    const { access_token } = (await answer.json()) as { access_token: string };
    return access_token;
  };
  return {
    url,
    broker,
    market,
    clock,
    faults,
    token,
    async alpaca(username, to = url) {
      const host = new URL(to).host;
      return new Alpaca({
        accessToken: await token(username),
        rateLimit: false,
        retry: false,
        timeoutMs: 20_000,
        fetchApi: (input, init) => {
          const target = new URL(input);
          target.protocol = 'http:';
          target.host = host;
          return fetch(target, init);
        },
      });
    },
    async close() {
      broker.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (options.database === undefined) database.close();
    },
  };
}

export interface Answer {
  status: number;
  location: URL | undefined;
  code: string | undefined;
  verifier: string;
  text: string;
}

/** Logs in and consents as a person's browser would; `changes` replace parameters of the form. */
export async function authorize(
  url: string,
  username: keyof typeof PASSWORDS,
  changes: Record<string, string> = {},
): Promise<Answer> {
  const verifier = randomBytes(32).toString('base64url');
  const form = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT.client_id,
    redirect_uri: REDIRECT_URI,
    scope: 'account:write trading',
    state: 'state-of-the-test',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    username,
    password: PASSWORDS[username],
    decision: 'allow',
    ...changes,
  });
  const answer = await fetch(`${url}/oauth/authorize`, { method: 'POST', body: form, redirect: 'manual' });
  const target = answer.headers.get('location');
  const location = target === null ? undefined : new URL(target);
  return {
    status: answer.status,
    location,
    code: location?.searchParams.get('code') ?? undefined,
    verifier,
    text: await answer.text(),
  };
}

export function exchangeCode(
  url: string,
  code: string,
  code_verifier: string,
  changes: Record<string, string> = {},
): Promise<Response> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    code_verifier,
    redirect_uri: REDIRECT_URI,
    ...CLIENT,
    ...changes,
  });
  return fetch(`${url}/oauth/token`, { method: 'POST', body });
}

/** How the broker refused, as Alpaca's SDK tells it; throws where it did not. */
export const refusal = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error('the broker did not refuse', { cause: error });
  return { status: error.status, code: error.code, message: error.message };
};
