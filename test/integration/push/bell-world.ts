import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import type { ProposalDetails } from '../../../src/approval/details.ts';
import {
  type ApprovalRequest,
  type ApprovalRequests,
  createApprovalRequests,
} from '../../../src/home/identity-provider/approval-requests.ts';
import type { PhoneNotice } from '../../../src/home/phone/push/phone-notices.ts';
import {
  createPhonePush,
  type PhonePush,
  type PushOptions,
} from '../../../src/home/phone/push/phone-push.ts';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import { prepareHomeDatabase } from '../../../src/store/home/schema.ts';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import { openPushService, type PushService } from './push-service.ts';
import { signingKey } from './signing-key.ts';

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

export interface BellWorld {
  readonly clock: MovedClock;
  readonly service: PushService;
  readonly problems: string[];
  /** What was told by other ways. */
  readonly told: PhoneNotice[];
  readonly requests: ApprovalRequests;
  /** People whose passkey was removed. */
  readonly withoutKey: Set<string>;
  push(): PhonePush;
  /** Has a browser of this person ring. */
  subscribe(user: string, browser: string): void;
  ask(user?: string, details?: ProposalDetails, ttlMs?: number): ApprovalRequest;
  /** Stops what rings, and starts it anew with what the database has. */
  restart(change?: PushOptions): Promise<void>;
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** The bell over a real database, in front of a real push service. */
export async function openBellWorld(
  options: PushOptions & { readonly notices?: never; readonly tells?: boolean } = {},
): Promise<BellWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'bell-'));
  const database = prepareHomeDatabase(new Database(join(folder, 'state.db')));
  const clock = new MovedClock();
  const service = await openPushService();
  const problems: string[] = [];
  const told: PhoneNotice[] = [];
  const withoutKey = new Set<string>();
  const keysOf = (user: string) => (withoutKey.has(user) ? [] : [signingKey(user)]);
  const { tells = false, ...pushOptions } = options;
  const requests = createApprovalRequests(database, clock);
  let closing = new AbortController();
  const start = (change: PushOptions = {}) => {
    closing = new AbortController();
    return createPhonePush(
      {
        issuer: 'https://home.example.net',
        database,
        requests,
        keys: { list: async (user) => keysOf(user) },
        clock,
        closing: closing.signal,
        fetch,
        onError: (problem) => problems.push(problem),
      },
      {
        loopback: true,
        ...pushOptions,
        ...(tells ? { notices: { tell: async (notice) => void told.push(notice) } } : {}),
        ...change,
      },
    );
  };
  let push = start();
  const stop = async () => {
    closing.abort();
    await push.bell.stopped();
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
    subscribe(user, browser) {
      const added = push.subscriptions.add(
        { user, session: `session-of-${browser}`, credential: `${user}s-key`, name: 'Chrome on Linux' },
        service.subscribe(browser),
      );
      if (added !== 'kept') throw new Error(added);
    },
    ask: (user = 'alice', details = proposalDetails('order'), ttlMs = 300_000) =>
      requests.add({
        authReqId: `auth-req-${++asked}`,
        user,
        clientId: 'trade-agent-gateway',
        clientName: 'The gateway',
        code: details.code,
        bindingMessage: undefined,
        details,
        expiresAt: clock.now() + ttlMs,
      }),
    restart: async (change) => {
      await stop();
      push = start(change);
    },
    stop,
    close: async () => {
      await stop();
      database.close();
      await service.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
