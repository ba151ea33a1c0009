import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import type { ProposalDetails } from '../../../src/approval/details.ts';
import { createApprovalRequests } from '../../../src/home/identity-provider/approval-requests.ts';
import type { PhoneNotice } from '../../../src/home/phone/push/phone-notices.ts';
import { createPhonePush, type PushOptions } from '../../../src/home/phone/push/phone-push.ts';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import { prepareHomeDatabase } from '../../../src/store/home/schema.ts';
import type { SigningKey } from '../../../src/store/signing-key-store.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import { openPushService } from './push-service.ts';

/** A clock that a test moves. What is shorter than anybody notices passes by itself. */
export class MovedClock implements Clock {
  #now = Date.now();
  readonly #sleepers = new Set<{ at: number; wake: () => void }>();

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 20) return systemClock.sleep(ms, signal);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper = {
        at: this.#now + ms,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const sleeper of [...this.#sleepers].filter(({ at }) => at <= this.#now)) {
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /** Milliseconds until the next sleeper wakes. */
  next(): number {
    return Math.min(...[...this.#sleepers].map(({ at }) => at)) - this.#now;
  }
}

/** The one passkey of a person, as far as what rings needs to know it. */
const signingKey = (sub: string): SigningKey => ({
  credentialId: `${sub}s-key`,
  sub,
  rpId: 'localhost',
  publicKey: new Uint8Array(),
  algorithm: -7,
  counter: 0,
  method: 'webauthn',
  deviceType: 'singleDevice',
  backedUp: false,
  name: 'Phone',
  transports: [],
  enrolledAt: 0,
});
const keyOf = (user: string) => [signingKey(user)];

/** What rings, by a push service on loopback. */
export const phonePush = (
  {
    keysOf = keyOf,
    ...parts
  }: Omit<Parameters<typeof createPhonePush>[0], 'issuer' | 'keys' | 'fetch'> & { keysOf?: typeof keyOf },
  options: PushOptions = {},
) =>
  createPhonePush(
    { issuer: 'https://home.example.net', keys: { list: async (user) => keysOf(user) }, fetch, ...parts },
    { loopback: true, ...options },
  );

/** A request of the gateway's to a person. */
export const asking = (authReqId: string, about: { user: string; details: ProposalDetails; expiresAt: number }) => ({
  authReqId,
  clientId: 'trade-agent-gateway',
  clientName: 'The gateway',
  code: about.details.code,
  bindingMessage: undefined,
  ...about,
});

export type NotifierWorld = Awaited<ReturnType<typeof openNotifierWorld>>;

/** The bell over a real database, in front of a real push service. */
export async function openNotifierWorld(
  options: PushOptions & { readonly notices?: never; readonly tells?: boolean } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'bell-'));
  const file = prepareHomeDatabase(new Database(join(folder, 'state.db')));
  const database = createSqliteTransactions(file);
  const clock = new MovedClock();
  const service = await openPushService();
  const problems: string[] = [];
  /** What was told by other ways. */
  const told: PhoneNotice[] = [];
  /** People whose passkey was removed. */
  const withoutKey = new Set<string>();
  const keysOf = (user: string) => (withoutKey.has(user) ? [] : keyOf(user));
  const { tells = false, ...pushOptions } = options;
  const requests = createApprovalRequests(database, clock);
  let closing = new AbortController();
  const start = (change: PushOptions = {}) => {
    closing = new AbortController();
    const tell = async (notice: PhoneNotice) => void told.push(notice);
    return phonePush(
      { database, requests, keysOf, clock, closing: closing.signal, onError: (text) => problems.push(text) },
      { ...pushOptions, ...(tells ? { notices: { tell } } : {}), ...change },
    );
  };
  let push = await start();
  const stop = async () => {
    closing.abort();
    await push.approvalNotifier.stopped();
  };
  let asked = 0;
  return {
    clock,
    service,
    problems,
    told,
    requests,
    withoutKey,
    push: () => push,
    /** Has a browser of this person ring. */
    async subscribe(user: string, browser: string) {
      const added = await push.subscriptions.add(
        { user, session: `session-of-${browser}`, credential: `${user}s-key`, name: 'Chrome on Linux' },
        service.subscribe(browser),
      );
      if (added !== 'kept') throw new Error(added);
    },
    ask: (user = 'alice', details = proposalDetails('order'), ttlMs = 300_000) =>
      requests.add(asking(`auth-req-${++asked}`, { user, details, expiresAt: clock.now() + ttlMs })),
    /** Stops what rings, and starts it again with what the database has. */
    restart: async (change?: PushOptions) => {
      await stop();
      push = await start(change);
    },
    stop,
    close: async () => {
      await stop();
      file.close();
      await service.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
