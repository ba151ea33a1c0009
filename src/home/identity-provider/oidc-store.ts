import type { Database } from 'better-sqlite3-multiple-ciphers';
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider';
import { type RefreshTokenReuse, refreshTokenSuccessors } from './refresh-token-reuse.ts';
import { type Granted, type StandingGrants, standingGrants } from './standing-grants.ts';

/** How long a finished row is kept, so that a late caller hears "expired" rather than "unknown". Seconds. */
const KEPT_AFTER_EXPIRY = 24 * 3600;

interface Row {
  readonly payload: string;
  readonly consumed_at: number | null;
}

export interface OidcStore extends StandingGrants {
  readonly adapter: AdapterFactory;
  /** Forgets a client that registered; what was granted to it is another matter. */
  forgetClient(id: string): void;
}

export interface OidcStoreOptions {
  readonly database: Database;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** `never` unless said otherwise. */
  readonly refreshTokenReuse?: RefreshTokenReuse | undefined;
  /** Called when the library has ended a grant: a revocation, or a token or code that was used twice. */
  readonly onGrantEnded: (granted: Granted) => Promise<void>;
  /** Called before a CIBA request is read: where the token endpoint's long poll waits, after the client is known. */
  readonly beforeBackchannelRequest: (id: string, payload: AdapterPayload) => Promise<void>;
}

/** oidc-provider's storage in one SQLite table. */
export function createOidcStore(options: OidcStoreOptions): OidcStore {
  const { database } = options;
  const rows = openEntities(database);
  const seconds = () => Math.floor(options.now() / 1000);
  const purgeOld = () => rows.purge.run(seconds() - KEPT_AFTER_EXPIRY);
  purgeOld();
  let writes = 0;

  const successors = refreshTokenSuccessors(database);
  const mayRepeat = (model: string, payload: AdapterPayload): boolean =>
    options.refreshTokenReuse === 'until_confirmed' &&
    model === 'RefreshToken' &&
    // One that is bound to no key is as good in anybody's hands.
    payload.jkt !== undefined &&
    !successors.wereUsed(payload);

  const load = (model: string, row: Row | undefined): AdapterPayload | undefined => {
    if (row === undefined) return undefined;
    const payload: AdapterPayload = JSON.parse(row.payload);
    if (row.consumed_at === null || mayRepeat(model, payload)) return payload;
    return { ...payload, consumed: row.consumed_at };
  };

  const granted = standingGrants(database);

  const adapter = (model: string): Adapter => (model === 'Session' ? noSessions : entities(model));

  const entities = (model: string): Adapter => ({
    upsert: async (id, payload, expiresIn) => {
      rows.upsert.run({
        model,
        id,
        payload: JSON.stringify(payload),
        grantId: payload.grantId ?? null,
        userCode: payload.userCode ?? null,
        uid: payload.uid ?? null,
        expiresAt: expiresIn === undefined ? null : seconds() + expiresIn,
      });
      writes += 1;
      if (writes % 500 === 0) purgeOld();
    },
    find: async (id) => {
      const found = load(model, rows.byId.get(model, id));
      if (model !== 'BackchannelAuthenticationRequest' || found === undefined) return found;
      await options.beforeBackchannelRequest(id, found);
      return load(model, rows.byId.get(model, id));
    },
    findByUserCode: async (userCode) => load(model, rows.byUserCode.get(model, userCode)),
    findByUid: async (uid) => load(model, rows.byUid.get(model, uid)),
    consume: async (id) => {
      // Compare-and-set: the provider checks "consumed" on a copy it read earlier, so two polls at the same moment
      // would otherwise both be given a token for one approval.
      if (rows.consume.run(seconds(), model, id).changes === 1) return;
      const row = rows.byId.get(model, id);
      const payload: AdapterPayload | undefined = row && JSON.parse(row.payload);
      if (payload === undefined || !mayRepeat(model, payload)) {
        throw new errors.InvalidGrant('already consumed');
      }
      successors.drop(payload);
    },
    destroy: async (id) => {
      const ended = model === 'Grant' ? granted.grant(id) : undefined;
      rows.destroy.run(model, id);
      if (ended === undefined) return;
      granted.endGrant(id);
      await options.onGrantEnded(ended);
    },
    revokeByGrantId: async (grantId) => {
      rows.revoke.run(model, grantId);
    },
  });

  return {
    adapter,
    forgetClient: (id) => {
      rows.destroy.run('Client', id);
    },
    ...granted,
  };
}

/**
 * The library would remember who signed in, by a cookie of its own. Who is there the phone's pages know, and they ask each
 * time.
 */
const noSessions: Adapter = {
  upsert: async () => undefined,
  find: async () => undefined,
  findByUserCode: async () => undefined,
  findByUid: async () => undefined,
  consume: async () => undefined,
  destroy: async () => undefined,
  revokeByGrantId: async () => undefined,
};

/** The one table that everything of the library's is in. */
function openEntities(database: Database) {
  database.exec(`
    CREATE TABLE IF NOT EXISTS oidc_entities (
      model TEXT NOT NULL,
      id TEXT NOT NULL,
      payload TEXT NOT NULL,
      grant_id TEXT,
      user_code TEXT,
      uid TEXT,
      expires_at INTEGER,
      consumed_at INTEGER,
      PRIMARY KEY (model, id)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS oidc_entities_grant ON oidc_entities (grant_id) WHERE grant_id IS NOT NULL;
    CREATE INDEX IF NOT EXISTS oidc_entities_user_code ON oidc_entities (user_code) WHERE user_code IS NOT NULL;
    CREATE INDEX IF NOT EXISTS oidc_entities_expiry ON oidc_entities (expires_at) WHERE expires_at IS NOT NULL;
  `);
  return {
    upsert: database.prepare(
      `INSERT INTO oidc_entities (model, id, payload, grant_id, user_code, uid, expires_at)
     VALUES (@model, @id, @payload, @grantId, @userCode, @uid, @expiresAt)
     ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
       user_code = excluded.user_code, uid = excluded.uid, expires_at = excluded.expires_at`,
    ),
    byId: database.prepare<[string, string], Row>(
      'SELECT payload, consumed_at FROM oidc_entities WHERE model = ? AND id = ?',
    ),
    byUserCode: database.prepare<[string, string], Row>(
      'SELECT payload, consumed_at FROM oidc_entities WHERE model = ? AND user_code = ?',
    ),
    byUid: database.prepare<[string, string], Row>(
      'SELECT payload, consumed_at FROM oidc_entities WHERE model = ? AND uid = ?',
    ),
    consume: database.prepare<[number, string, string]>(
      'UPDATE oidc_entities SET consumed_at = ? WHERE model = ? AND id = ? AND consumed_at IS NULL',
    ),
    destroy: database.prepare<[string, string]>('DELETE FROM oidc_entities WHERE model = ? AND id = ?'),
    revoke: database.prepare<[string, string]>('DELETE FROM oidc_entities WHERE model = ? AND grant_id = ?'),
    purge: database.prepare<[number]>('DELETE FROM oidc_entities WHERE expires_at < ?'),
  };
}
