import { z } from 'zod';
import type { Clock } from '../../../machine/clock.ts';
import { isSameSecret } from '../../../secrets/constant-time.ts';
import type { SessionStore } from '../../../store/home/sessions.ts';
import { all, lock, one, run, type SqlTransactions } from '../../../store/sql/sql-database.ts';
import { isPushEndpoint } from './push-endpoint.ts';

const MAX_PER_PERSON = 10;

const bytes = (length: number) =>
  z
    .string()
    .max(2 * length)
    .regex(/^[A-Za-z0-9_-]+$/)
    .refine((text) => Buffer.from(text, 'base64url').length === length);

/** Schema of the members of a browser's `PushSubscription.toJSON()` that are used here (Push API §8). */
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
  /** ID of the session that last registered the subscription. The subscription ends with that session. */
  readonly session: string;
  /** The passkey that opened the session. The subscription ends when the passkey is removed. */
  readonly credential: string;
  readonly p256dh: string;
  readonly auth: string;
  readonly name: string;
  readonly createdAt: number;
  readonly lastSuccessAt: number | undefined;
  readonly failures: number;
  /** Time until which the push service accepts no pushes to this browser, in milliseconds since the epoch. */
  readonly restsUntil: number;
}

export type PushSubscriptions = ReturnType<typeof openPushSubscriptions>;

type Row = Omit<PushSubscription, 'user' | 'createdAt' | 'lastSuccessAt' | 'restsUntil'> & {
  readonly username: string;
  readonly created_at: number;
  readonly last_success_at: number | null;
  readonly rests_until: number;
};

const OF_USER = 'SELECT * FROM push_subscriptions WHERE username = @user ORDER BY created_at, endpoint';

/** Opens the store of push subscriptions. @param loopback allows push services on this machine */
export function openPushSubscriptions(
  database: SqlTransactions,
  clock: Clock,
  { loopback = false }: { loopback?: boolean } = {},
) {
  const remove = (condition: string, values: Readonly<Record<string, string>>) =>
    database.run(`DELETE FROM push_subscriptions WHERE ${condition}`, values);

  return {
    /**
     * Stores a browser's subscription, or confirms an existing one.
     * @returns `invalid` if the endpoint is not a push service's; `taken` if another person has registered the endpoint
     *   and this browser can't prove with the secret that it is the same browser; `too_many` if this person already has
     *   ten
     */
    async add(
      owner: Pick<PushSubscription, 'user' | 'session' | 'credential' | 'name'>,
      { endpoint, keys: { p256dh, auth } }: z.output<typeof pushSubscriptionSchema>,
    ): Promise<'kept' | 'invalid' | 'taken' | 'too_many'> {
      const { user } = owner;
      if (!isPushEndpoint(endpoint, loopback)) return 'invalid';
      return await database.write(function* () {
        // Without these locks, two processes could register one endpoint for two people, or exceed the maximum.
        yield* lock('push endpoint', endpoint);
        yield* lock('push subscriptions', user);
        const there = yield* one<Row>('SELECT * FROM push_subscriptions WHERE endpoint = @endpoint', { endpoint });
        if (there !== undefined && there.username !== user && !isSameSecret(there.auth, auth)) return 'taken';
        if (there?.username !== user && (yield* all<Row>(OF_USER, { user })).length >= MAX_PER_PERSON)
          return 'too_many';
        yield* run(
          `INSERT INTO push_subscriptions (endpoint, username, session, credential, p256dh, auth, name, created_at)
           VALUES (@endpoint, @user, @session, @credential, @p256dh, @auth, @name, @now)
           ON CONFLICT (${database.dialect.tenant}endpoint) DO UPDATE SET username = excluded.username,
             session = excluded.session, credential = excluded.credential, p256dh = excluded.p256dh,
             auth = excluded.auth, name = excluded.name`,
          { ...owner, endpoint, p256dh, auth, now: clock.now() },
        );
        return 'kept';
      });
    },
    async of(user: string): Promise<PushSubscription[]> {
      return (await database.all<Row>(OF_USER, { user })).map(toSubscription);
    },
    /** Removes a subscription and returns whether it existed. @param user if given, must be the subscription's owner */
    async remove(endpoint: string, user?: string): Promise<boolean> {
      const removed =
        user === undefined
          ? await remove('endpoint = @endpoint', { endpoint })
          : await remove('endpoint = @endpoint AND username = @user', { endpoint, user });
      return removed > 0;
    },
    async endSession(session: string): Promise<void> {
      await remove('session = @session', { session });
    },
    async endKey(user: string, credential: string): Promise<void> {
      await remove('username = @user AND credential = @credential', { user, credential });
    },
    async endPerson(user: string): Promise<void> {
      await remove('username = @user', { user });
    },
    async rang(endpoint: string): Promise<void> {
      await database.run(
        `UPDATE push_subscriptions SET last_success_at = @now, failures = 0, rests_until = 0
         WHERE endpoint = @endpoint`,
        { endpoint, now: clock.now() },
      );
    },
    async failed(endpoint: string, restsUntil: number = 0): Promise<void> {
      await database.run(
        `UPDATE push_subscriptions SET failures = failures + 1,
           rests_until = CASE WHEN rests_until < @restsUntil THEN @restsUntil ELSE rests_until END
         WHERE endpoint = @endpoint`,
        { endpoint, restsUntil },
      );
    },
  };
}

function toSubscription(row: Row): PushSubscription {
  const { username, created_at, last_success_at, rests_until, ...rest } = row;
  return {
    ...rest,
    user: username,
    createdAt: created_at,
    lastSuccessAt: last_success_at ?? undefined,
    restsUntil: rests_until,
  };
}

/**
 * Wraps the sessions so that ending a session (by signing out, in the list of browsers, or by removing its passkey)
 * also ends its push subscriptions. A session that only expires keeps its subscriptions, so that phones still receive
 * pushes the next morning.
 */
export function withSubscriptionCleanup(
  sessions: SessionStore,
  subscriptions: Pick<PushSubscriptions, 'endSession' | 'endKey'>,
): SessionStore {
  return {
    ...sessions,
    async end(username, id) {
      const ended = await sessions.end(username, id);
      // IDs are not secret, so people may end only their own sessions.
      if (ended) await subscriptions.endSession(id);
      return ended;
    },
    async endOf(username, credentialId) {
      await subscriptions.endKey(username, credentialId);
      await sessions.endOf(username, credentialId);
    },
  };
}
