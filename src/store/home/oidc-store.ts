import type { Database } from 'better-sqlite3-multiple-ciphers';
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider';

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

interface OidcStoreOptions {
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

/** By whom, and to which client. */
export interface Granted {
  readonly sub: string;
  readonly clientId: string;
  /** For what its tokens are (RFC 8707), where that is known. */
  readonly resources?: readonly string[];
}

/** What people have granted, while it stands; revocation deletes it. */
export type StandingGrants = ReturnType<typeof standingGrants>;

/** Looks among `oidc_entities`, which must be there. */
function standingGrants(database: Database) {
  const byId = database.prepare<[string], { payload: string }>(
    "SELECT payload FROM oidc_entities WHERE model = 'Grant' AND id = ?",
  );
  const idsOf = database.prepare<[string, string | null, string | null], { id: string }>(
    `SELECT id FROM oidc_entities WHERE model = 'Grant' AND json_extract(payload, '$.accountId') = ?
       AND (? IS NULL OR json_extract(payload, '$.clientId') = ?)`,
  );
  const change = database.prepare<[string, string]>(
    "UPDATE oidc_entities SET payload = ? WHERE model = 'Grant' AND id = ?",
  );
  const end = database.prepare<[string, string]>(
    "DELETE FROM oidc_entities WHERE grant_id = ? OR (model = 'Grant' AND id = ?)",
  );

  const payloadOf = (id: string): AdapterPayload | undefined => {
    const row = byId.get(id);
    return row && JSON.parse(row.payload);
  };
  const grant = (id: string): Granted | undefined => {
    const payload = payloadOf(id);
    if (payload === undefined) return undefined;
    const { accountId, clientId, resources } = payload;
    return { sub: String(accountId), clientId: String(clientId), resources: Object.keys(resources ?? {}) };
  };

  return {
    grant,
    /** All of one person's. */
    grantsOf: (sub: string): Granted[] => idsOf.all(sub, null, null).flatMap(({ id }) => grant(id) ?? []),
    /** Ends a grant, and all that was issued under it. */
    endGrant: (id: string): void => {
      end.run(id, id);
    },
    /** Ends all that a person granted, or one client of theirs was. */
    endGrants: ({ sub, clientId }: { readonly sub: string; readonly clientId?: string }): void => {
      for (const { id } of idsOf.all(sub, clientId ?? null, clientId ?? null)) end.run(id, id);
    },
    /** Takes `offline_access` out of what a person granted for a resource; the rest stands. */
    endOffline: ({ sub, resource }: { readonly sub: string; readonly resource: string }): void => {
      for (const { id } of idsOf.all(sub, null, null)) {
        const payload = payloadOf(id);
        const openid = payload?.openid as { readonly scope?: string } | undefined;
        if (openid?.scope === undefined || grant(id)?.resources?.includes(resource) !== true) continue;
        const scope = openid.scope.split(' ').filter((name) => name !== 'offline_access');
        change.run(JSON.stringify({ ...payload, openid: { ...openid, scope: scope.join(' ') } }), id);
      }
    },
  };
}

/**
 * What a second use of a refresh token means. `never`: theft, and the session ends (RFC 9700 §4.14.2).
 * `until_confirmed`: that the answer to the first use was lost on its way, as long as nothing that came of it was used;
 * it is answered once more, and the lost successor becomes worthless. That goes for tokens that are bound to a key (RFC
 * 9449 §5), so that only the machine they were given to can use them at all; for others it is always `never`.
 */
export type RefreshTokenReuse = 'never' | 'until_confirmed';

/** Looks at the successors of a used refresh token, among `oidc_entities`. */
function refreshTokenSuccessors(database: Database) {
  // `rotations` counts them: a token's successors are those of its grant that were rotated more often.
  const rotations = "COALESCE(json_extract(payload, '$.rotations'), 0)";
  const successors = `model = 'RefreshToken' AND grant_id = ? AND ${rotations} > ?`;
  const used = database.prepare<[string, number]>(
    `SELECT 1 FROM oidc_entities WHERE ${successors} AND consumed_at IS NOT NULL`,
  );
  const drop = database.prepare<[string, number]>(`DELETE FROM oidc_entities WHERE ${successors}`);
  const of = (payload: { readonly grantId?: unknown; readonly rotations?: unknown }): [string, number] => [
    String(payload.grantId),
    Number(payload.rotations ?? 0),
  ];
  return {
    /** Whether any of them was ever used: then the answer did arrive. */
    wereUsed: (payload: object) => used.get(...of(payload)) !== undefined,
    drop: (payload: object) => {
      drop.run(...of(payload));
    },
  };
}

/**
 * Ends every sign-in that a provider's database knows, of people's browsers as of their agents: of a copy from earlier it
 * can't be told which were ended since. Who may sign in stays as it was.
 */
export function forgetSignIns(database: Database): void {
  database
    .transaction(() => {
      // A client that was registered is no sign-in.
      database.exec("DELETE FROM oidc_entities WHERE model <> 'Client'");
      for (const table of ['browser_sessions', 'phone_tickets', 'issued_tokens']) {
        database.exec(`DELETE FROM ${table}`);
      }
    })
    .immediate();
}

/** Which access tokens were issued under which grant: a JWT can't be revoked, but its grant can. */
export type IssuedTokens = ReturnType<typeof createIssuedTokens>;

/** @param now milliseconds since the epoch */
export function createIssuedTokens(database: Database, now: () => number) {
  const insert = database.prepare<[string, string, number]>('INSERT INTO issued_tokens VALUES (?, ?, ?)');
  const find = database.prepare<[string], { grant_id: string }>(
    'SELECT grant_id FROM issued_tokens WHERE jti = ?',
  );
  const purge = database.prepare<[number]>('DELETE FROM issued_tokens WHERE expires_at < ?');
  return {
    note: ({ jti, grantId, expiresAt }: { jti: string; grantId: string; expiresAt: number }): void => {
      purge.run(now());
      insert.run(jti, grantId, expiresAt);
    },
    /** The grant a token was issued under. */
    grantOf: (jti: string): string | undefined => find.get(jti)?.grant_id,
  };
}
