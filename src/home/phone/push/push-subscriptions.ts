import type { Database } from 'better-sqlite3-multiple-ciphers';
import { z } from 'zod';
import type { Clock } from '../../../machine/clock.ts';
import { isSameSecret } from '../../../secrets/constant-time.ts';
import type { SessionStore } from '../../../store/home/sessions.ts';
import { isPushEndpoint } from './push-endpoint.ts';

const MAX_PER_PERSON = 10;

const bytes = (length: number) =>
  z
    .string()
    .max(2 * length)
    .regex(/^[A-Za-z0-9_-]+$/)
    .refine((text) => Buffer.from(text, 'base64url').length === length);

/** The members of a browser's `PushSubscription.toJSON()` that are used here (Push API §8). */
export const pushSubscriptionSchema = z.lazy(() =>
  z.object({
    endpoint: z.string(),
    keys: z.object({
      /** The browser's public key, an uncompressed P-256 point. */
      p256dh: bytes(65).refine((text) => Buffer.from(text, 'base64url')[0] === 4),
      auth: bytes(16),
    }),
  }),
);

/** A browser that receives push messages. Times are in milliseconds since the epoch. */
export interface PushSubscription {
  readonly endpoint: string;
  readonly user: string;
  /** Id of the session that last registered it. The subscription ends with that session. */
  readonly session: string;
  /** The passkey that opened the session. The subscription ends when the passkey is removed. */
  readonly credential: string;
  readonly p256dh: string;
  readonly auth: string;
  readonly name: string;
  readonly createdAt: number;
  readonly lastSuccessAt: number | undefined;
  readonly failures: number;
  /** The push service accepts no pushes to this browser before this time. */
  readonly restsUntil: number;
}

export type PushSubscriptions = ReturnType<typeof openPushSubscriptions>;

type Row = Omit<PushSubscription, 'createdAt' | 'lastSuccessAt' | 'restsUntil'> & {
  readonly created_at: number;
  readonly last_success_at: number | null;
  readonly rests_until: number;
};

/** @param loopback allows push services on this machine, for tests */
export function openPushSubscriptions(
  database: Database,
  clock: Clock,
  { loopback = false }: { loopback?: boolean } = {},
) {
  const byEndpoint = database.prepare<[string], Row>('SELECT * FROM push_subscriptions WHERE endpoint = ?');
  const ofUser = database.prepare<[string], Row>(
    'SELECT * FROM push_subscriptions WHERE user = ? ORDER BY created_at, endpoint',
  );
  const write = database.prepare(`
    INSERT INTO push_subscriptions (endpoint, user, session, credential, p256dh, auth, name, created_at)
    VALUES (@endpoint, @user, @session, @credential, @p256dh, @auth, @name, @now)
    ON CONFLICT (endpoint) DO UPDATE
      SET user = @user, session = @session, credential = @credential, p256dh = @p256dh, auth = @auth, name = @name`);
  const remove = database.prepare<[string]>('DELETE FROM push_subscriptions WHERE endpoint = ?');
  const removeOwn = database.prepare<[string, string]>(
    'DELETE FROM push_subscriptions WHERE endpoint = ? AND user = ?',
  );
  const endKey = database.prepare<[string, string]>('DELETE FROM push_subscriptions WHERE user = ? AND credential = ?');
  const endPerson = database.prepare<[string]>('DELETE FROM push_subscriptions WHERE user = ?');
  const endSession = database.prepare<[string]>('DELETE FROM push_subscriptions WHERE session = ?');
  const rang = database.prepare<[number, string]>(
    'UPDATE push_subscriptions SET last_success_at = ?, failures = 0, rests_until = 0 WHERE endpoint = ?',
  );
  const failed = database.prepare<[number, string]>(
    'UPDATE push_subscriptions SET failures = failures + 1, rests_until = max(rests_until, ?) WHERE endpoint = ?',
  );

  const add = database.transaction<PushSubscriptions['add']>((owner, { endpoint, keys: { p256dh, auth } }) => {
    const { user } = owner;
    if (!isPushEndpoint(endpoint, loopback)) return 'invalid';
    const there = byEndpoint.get(endpoint);
    if (there !== undefined && there.user !== user && !isSameSecret(there.auth, auth)) return 'taken';
    if (there?.user !== user && ofUser.all(user).length >= MAX_PER_PERSON) return 'too_many';
    write.run({ ...owner, endpoint, p256dh, auth, now: clock.now() });
    return 'kept';
  });

  return {
    /**
     * Stores a browser's subscription, or confirms an existing one.
     * @returns `invalid` if the endpoint is not a push service's; `taken` if another person has registered the endpoint
     * and this browser can't prove with the secret that it is the same browser; `too_many` if this person already has
     * ten
     */
    add: (
      owner: Pick<PushSubscription, 'user' | 'session' | 'credential' | 'name'>,
      subscription: z.output<typeof pushSubscriptionSchema>,
    ): 'kept' | 'invalid' | 'taken' | 'too_many' => add.immediate(owner, subscription),
    of: (user: string): PushSubscription[] => ofUser.all(user).map(toSubscription),
    /**
     * Removes a subscription and returns whether it existed. @param user if given, must be the subscription's owner
     */
    remove: (endpoint: string, user?: string): boolean =>
      (user === undefined ? remove.run(endpoint) : removeOwn.run(endpoint, user)).changes > 0,
    endSession: (session: string): void => void endSession.run(session),
    endKey: (user: string, credential: string): void => void endKey.run(user, credential),
    endPerson: (user: string): void => void endPerson.run(user),
    rang: (endpoint: string): void => void rang.run(clock.now(), endpoint),
    failed: (endpoint: string, restsUntil: number = 0): void => void failed.run(restsUntil, endpoint),
  };
}

function toSubscription(row: Row): PushSubscription {
  const { created_at, last_success_at, rests_until, ...rest } = row;
  return {
    ...rest,
    createdAt: created_at,
    lastSuccessAt: last_success_at ?? undefined,
    restsUntil: rests_until,
  };
}

/**
 * Wraps the sessions so that ending a session also ends its push subscriptions: on sign-out, from the list of browsers,
 * and when its passkey is removed. A session that merely expires keeps its subscriptions; otherwise no phone would ring
 * in the morning.
 */
export function withSubscriptionCleanup(
  sessions: SessionStore,
  subscriptions: Pick<PushSubscriptions, 'endSession' | 'endKey'>,
): SessionStore {
  return {
    ...sessions,
    async end(username, id) {
      const ended = await sessions.end(username, id);
      // Ids are not secret, so only the person's own session may be ended.
      if (ended) subscriptions.endSession(id);
      return ended;
    },
    async endOf(username, credentialId) {
      subscriptions.endKey(username, credentialId);
      await sessions.endOf(username, credentialId);
    },
  };
}
