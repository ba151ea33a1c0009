import type { Database } from 'better-sqlite3-multiple-ciphers';
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider';

/** How long an expired row is kept, in seconds, so that late requests fail with "expired" and not with "unknown". */
const EXPIRED_RETENTION_S = 24 * 3600;

interface Row {
  readonly payload: string;
  readonly consumed_at: number | null;
}

export interface OidcStore extends ActiveGrants {
  readonly adapter: AdapterFactory;
  /** Deletes a registered client, but not the grants that people gave it. */
  forgetClient(id: string): void;
}

interface OidcStoreOptions {
  readonly database: Database;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Defaults to `never`. */
  readonly refreshTokenReuse?: RefreshTokenReusePolicy | undefined;
  /** Called when a grant has ended because it was revoked, or because a token or code was used twice. */
  readonly onGrantEnded: (granted: GrantInfo) => Promise<void>;
  /**
   * Called after the client is authenticated and before its CIBA request is read. Its promise delays the token
   * endpoint's response, for long polling.
   */
  readonly beforeBackchannelRequest: (id: string, payload: AdapterPayload) => Promise<void>;
}

export function createOidcStore(options: OidcStoreOptions): OidcStore {
  const { database } = options;
  const rows = openEntities(database);
  const seconds = () => Math.floor(options.now() / 1000);
  const purgeOld = () => rows.purge.run(seconds() - EXPIRED_RETENTION_S);
  purgeOld();
  let writes = 0;

  const successors = refreshTokenSuccessors(database);
  const mayRepeat = (model: string, payload: AdapterPayload): boolean =>
    options.refreshTokenReuse === 'until_confirmed' &&
    model === 'RefreshToken' &&
    // If the token is not bound to a key, anyone who stole the token could replay it.
    payload.jkt !== undefined &&
    !successors.wereUsed(payload);

  const load = (model: string, row: Row | undefined): AdapterPayload | undefined => {
    if (row === undefined) return undefined;
    const payload: AdapterPayload = JSON.parse(row.payload);
    if (row.consumed_at === null || mayRepeat(model, payload)) return payload;
    return { ...payload, consumed: row.consumed_at };
  };

  const granted = activeGrants(database);

  const adapter = (model: string): Adapter => (model === 'Session' ? noSessionAdapter : entities(model));

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
      // Compare-and-set: oidc-provider checks "consumed" on a copy that it read earlier. Two simultaneous polls would
      // otherwise both get a token for one approval.
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

/** Disables oidc-provider's session cookie. The phone's pages manage sessions, and ask for consent every time. */
const noSessionAdapter: Adapter = {
  upsert: async () => undefined,
  find: async () => undefined,
  findByUserCode: async () => undefined,
  findByUid: async () => undefined,
  consume: async () => undefined,
  destroy: async () => undefined,
  revokeByGrantId: async () => undefined,
};

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

export interface GrantInfo {
  readonly sub: string;
  readonly clientId: string;
  /** Resources (RFC 8707) that the grant's tokens are valid for, if known. */
  readonly resources?: readonly string[];
}

export type ActiveGrants = ReturnType<typeof activeGrants>;

function activeGrants(database: Database) {
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
  const grant = (id: string): GrantInfo | undefined => {
    const payload = payloadOf(id);
    if (payload === undefined) return undefined;
    const { accountId, clientId, resources } = payload;
    return { sub: String(accountId), clientId: String(clientId), resources: Object.keys(resources ?? {}) };
  };

  return {
    grant,
    grantsOf: (sub: string): GrantInfo[] => idsOf.all(sub, null, null).flatMap(({ id }) => grant(id) ?? []),
    /** Ends a grant and every token and code that was issued under it. */
    endGrant: (id: string): void => {
      end.run(id, id);
    },
    endGrants: ({ sub, clientId }: { readonly sub: string; readonly clientId?: string }): void => {
      for (const { id } of idsOf.all(sub, clientId ?? null, clientId ?? null)) end.run(id, id);
    },
    /** Removes `offline_access` from a person's grants for a resource. The grants keep their other scopes. */
    revokeOffline: ({ sub, resource }: { readonly sub: string; readonly resource: string }): void => {
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
 * Whether a refresh token may be used a second time. `never` treats that as theft and ends the session (RFC 9700
 * §4.14.2). `until_confirmed` assumes that the first response was lost if the token's successor has not been used: it
 * issues a new successor and deletes the lost one. This applies only to tokens that are bound to a key (RFC 9449 §5),
 * because only the machine with the key can use them. All other tokens are treated as with `never`.
 */
export type RefreshTokenReusePolicy = 'never' | 'until_confirmed';

function refreshTokenSuccessors(database: Database) {
  // A token's successors are the tokens of its grant with a higher `rotations` count.
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
    /** Returns whether any successor was used, which proves that the client received it. */
    wereUsed: (payload: object) => used.get(...of(payload)) !== undefined,
    drop: (payload: object) => {
      drop.run(...of(payload));
    },
  };
}

/**
 * Ends every sign-in of browsers and agents in a provider's database. Called after a backup is restored, because
 * sign-ins that ended after the backup was made would otherwise be active again. Keeps people and their passkeys.
 */
export function endAllSignIns(database: Database): void {
  database
    .transaction(() => {
      // Client registrations are not sign-ins.
      database.exec("DELETE FROM oidc_entities WHERE model <> 'Client'");
      for (const table of ['browser_sessions', 'phone_tickets', 'issued_tokens']) {
        database.exec(`DELETE FROM ${table}`);
      }
    })
    .immediate();
}

/** Maps access tokens to the grants under which they were issued, because a JWT can't be revoked, but its grant can. */
export type IssuedTokenStore = ReturnType<typeof createIssuedTokenStore>;

/** @param now milliseconds since the epoch */
export function createIssuedTokenStore(database: Database, now: () => number) {
  const insert = database.prepare<[string, string, number]>('INSERT INTO issued_tokens VALUES (?, ?, ?)');
  const find = database.prepare<[string], { grant_id: string }>('SELECT grant_id FROM issued_tokens WHERE jti = ?');
  const purge = database.prepare<[number]>('DELETE FROM issued_tokens WHERE expires_at < ?');
  return {
    note: ({ jti, grantId, expiresAt }: { jti: string; grantId: string; expiresAt: number }): void => {
      purge.run(now());
      insert.run(jti, grantId, expiresAt);
    },
    grantOf: (jti: string): string | undefined => find.get(jti)?.grant_id,
  };
}
