import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider';
import { all, type Dialect, lock, one, run, type SqlTransactions, type TransactionWork } from '../sql/sql-database.ts';

/** How long an expired row is kept, in seconds, so that late requests fail with "expired" and not with "unknown". */
const EXPIRED_RETENTION_S = 24 * 3600;
/** Number of writes between two deletions of expired rows. */
const WRITES_PER_PURGE = 500;

interface Row {
  readonly payload: string;
  readonly consumed_at: number | null;
}

export interface OidcStore extends ActiveGrants {
  readonly adapter: AdapterFactory;
  /** Deletes a registered client, but not the grants that people gave it. */
  forgetClient(id: string): Promise<void>;
}

/** Thrown if another request, possibly in another process, has already answered this sign-in. Nothing was changed. */
export class AlreadyDecidedError extends Error {}

interface OidcStoreOptions {
  readonly database: SqlTransactions;
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
  /** Called before a registered client is read. May throw the error with which the client is refused. */
  readonly beforeClient?: (id: string) => Promise<void>;
}

export function createOidcStore(options: OidcStoreOptions): OidcStore {
  const { database } = options;
  const { dialect } = database;
  const seconds = () => Math.floor(options.now() / 1000);
  let writes = 0;
  const purgeOld = async () => {
    writes += 1;
    if (writes % WRITES_PER_PURGE !== 1) return;
    await database.run(
      `DELETE FROM oidc_entities WHERE (model, id) IN
         (SELECT model, id FROM oidc_entities WHERE expires_at < @before${dialect.skipLocked})`,
      { before: seconds() - EXPIRED_RETENTION_S },
    );
  };

  const successors = refreshTokenSuccessors(dialect);
  /** Returns whether a used refresh token may be used again, provided that no successor was used. */
  const isRepeatable = (model: string, payload: AdapterPayload): boolean =>
    options.refreshTokenReuse === 'until_confirmed' &&
    model === 'RefreshToken' &&
    // If the token is not bound to a key, anyone who stole the token could replay it.
    payload.jkt !== undefined;

  const load = async (model: string, row: Row | undefined): Promise<AdapterPayload | undefined> => {
    if (row === undefined) return undefined;
    const payload: AdapterPayload = JSON.parse(row.payload);
    if (row.consumed_at === null) return payload;
    const mayRepeat = isRepeatable(model, payload) && !(await database.read(() => successors.wereUsed(payload)));
    return mayRepeat ? payload : { ...payload, consumed: row.consumed_at };
  };
  const find = async (model: string, column: 'id' | 'user_code' | 'uid', value: string) =>
    await load(
      model,
      await database.one<Row>(
        `SELECT payload, consumed_at FROM oidc_entities WHERE model = @model AND ${column} = @value`,
        { model, value },
      ),
    );

  /** Consumes a code or token. Of several simultaneous requests, in any process, only one succeeds. */
  function* consume(model: string, id: string): TransactionWork<boolean> {
    const find = one<{ payload: string }>;
    const select = 'SELECT payload FROM oidc_entities WHERE model = @model AND id = @id';
    const row = yield* find(select, { model, id });
    if (row === undefined) return false;
    const payload: AdapterPayload = JSON.parse(row.payload);
    const repeatable = isRepeatable(model, payload);
    // Without the lock, a successor could be used between the check and its deletion.
    if (repeatable) yield* lock('refresh tokens', String(payload.grantId));
    const consumed = yield* run(
      'UPDATE oidc_entities SET consumed_at = @now WHERE model = @model AND id = @id AND consumed_at IS NULL',
      { model, id, now: seconds() },
    );
    if (consumed === 1) return true;
    // The token may have been deleted during the wait for the lock, because its predecessor was used again.
    if (!repeatable || (yield* find(select, { model, id })) === undefined) return false;
    if (yield* successors.wereUsed(payload)) return false;
    yield* successors.drop(payload);
    return true;
  }

  const adapter = (model: string): Adapter => (model === 'Session' ? noSessionAdapter : entities(model));

  const entities = (model: string): Adapter => ({
    upsert: async (id, payload, expiresIn) => {
      const undecided = undecidedCondition(model, dialect);
      const written = await database.run(
        `INSERT INTO oidc_entities (model, id, payload, grant_id, user_code, uid, expires_at)
         VALUES (@model, @id, @payload, @grantId, @userCode, @uid, @expiresAt)
         ON CONFLICT (${dialect.tenant}model, id) DO UPDATE SET payload = excluded.payload,
           grant_id = excluded.grant_id, user_code = excluded.user_code, uid = excluded.uid,
           expires_at = excluded.expires_at ${undecided === undefined ? '' : `WHERE ${undecided}`}`,
        {
          model,
          id,
          payload: JSON.stringify(payload),
          grantId: payload.grantId ?? null,
          userCode: payload.userCode ?? null,
          uid: payload.uid ?? null,
          expiresAt: expiresIn === undefined ? null : seconds() + expiresIn,
        },
      );
      // All processes deliver the same stored decision for a CIBA request, so the first delivery is enough.
      if (written === 0 && model !== CIBA_MODEL) throw new AlreadyDecidedError('the request has already been decided');
      await purgeOld();
    },
    find: async (id) => {
      if (model === 'Client') await options.beforeClient?.(id);
      const found = await find(model, 'id', id);
      if (model !== CIBA_MODEL || found === undefined) return found;
      await options.beforeBackchannelRequest(id, found);
      return await find(model, 'id', id);
    },
    findByUserCode: (userCode) => find(model, 'user_code', userCode),
    findByUid: (uid) => find(model, 'uid', uid),
    consume: async (id) => {
      // The library checks "consumed" on a copy that it read earlier, so two simultaneous polls would otherwise both get
      // a token for one approval.
      if (!(await database.write(() => consume(model, id)))) throw new errors.InvalidGrant('already consumed');
    },
    destroy: async (id) => {
      if (model !== 'Grant') {
        await database.run('DELETE FROM oidc_entities WHERE model = @model AND id = @id', { model, id });
        return;
      }
      const ended = await database.write(() => endGrant(id));
      if (ended !== undefined) await options.onGrantEnded(ended);
    },
    revokeByGrantId: async (grantId) => {
      await database.run('DELETE FROM oidc_entities WHERE model = @model AND grant_id = @grantId', { model, grantId });
    },
  });

  return {
    adapter,
    forgetClient: async (id) => void (await database.write(() => forgetClient(id))),
    ...activeGrants(database),
  };
}

const CIBA_MODEL = 'BackchannelAuthenticationRequest';

/** Returns the SQL condition under which a person's decision may be stored: nobody has decided yet. */
function undecidedCondition(model: string, { json }: Dialect): string | undefined {
  const member = (name: string) => `${json('oidc_entities.payload')}->>'${name}'`;
  if (model === 'Interaction') return `${member('result')} IS NULL`;
  if (model !== CIBA_MODEL && model !== 'DeviceCode') return undefined;
  return `oidc_entities.grant_id IS NULL AND ${member('error')} IS NULL`;
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

export interface GrantInfo {
  readonly sub: string;
  readonly clientId: string;
  /** Resources (RFC 8707) that the grant's tokens are valid for, if known. */
  readonly resources?: readonly string[];
}

interface GrantRow {
  readonly id: string;
  readonly payload: string;
}

type ActiveGrants = ReturnType<typeof activeGrants>;

function activeGrants(database: SqlTransactions) {
  const { dialect } = database;
  return {
    grant: (id: string): Promise<GrantInfo | undefined> => database.read(() => findGrant(id)),
    findGrants: (sub: string): Promise<GrantInfo[]> => database.read(() => findGrants(dialect, sub)),
    /** Ends a grant and every token and code that was issued under it. */
    endGrant: async (id: string): Promise<void> => void (await database.write(() => endGrant(id))),
    endGrants: (whose: GrantHolder): Promise<void> => database.write(() => endGrants(dialect, whose)),
  };
}

/** A person's grants to one client, or to all clients if `clientId` is omitted. */
interface GrantHolder {
  readonly sub: string;
  readonly clientId?: string;
}

const selectGrants = ({ json }: Dialect) => `
  SELECT id, payload FROM oidc_entities WHERE model = 'Grant' AND ${json('payload')}->>'accountId' = @sub
    AND (CAST(@clientId AS text) IS NULL OR ${json('payload')}->>'clientId' = @clientId)`;

function toGrantInfo({ payload }: Pick<GrantRow, 'payload'>): GrantInfo {
  const { accountId, clientId, resources } = JSON.parse(payload) as AdapterPayload;
  return { sub: String(accountId), clientId: String(clientId), resources: Object.keys(resources ?? {}) };
}

export function* findGrants(dialect: Dialect, sub: string): TransactionWork<GrantInfo[]> {
  const rows = yield* all<GrantRow>(selectGrants(dialect), { sub, clientId: null });
  return rows.map(toGrantInfo);
}

export function* findGrant(id: string): TransactionWork<GrantInfo | undefined> {
  const row = yield* one<GrantRow>("SELECT id, payload FROM oidc_entities WHERE model = 'Grant' AND id = @id", { id });
  return row && toGrantInfo(row);
}

/** Ends a grant and every token and code that was issued under it. @returns the grant, if it had not ended yet */
export function* endGrant(id: string): TransactionWork<GrantInfo | undefined> {
  const ended = yield* all<GrantRow & { readonly model: string }>(
    "DELETE FROM oidc_entities WHERE grant_id = @id OR (model = 'Grant' AND id = @id) RETURNING model, id, payload",
    { id },
  );
  const row = ended.find(({ model }) => model === 'Grant');
  return row && toGrantInfo(row);
}

export function* endGrants(dialect: Dialect, { sub, clientId }: GrantHolder): TransactionWork<void> {
  const rows = yield* all<GrantRow>(selectGrants(dialect), { sub, clientId: clientId ?? null });
  for (const { id } of rows) yield* endGrant(id);
}

/** Removes `offline_access` from a person's grants for a resource. The grants keep their other scopes. */
export function* revokeOffline(
  dialect: Dialect,
  { sub, resource }: { readonly sub: string; readonly resource: string },
): TransactionWork<void> {
  const rows = yield* all<GrantRow>(`${selectGrants(dialect)}${dialect.forUpdate}`, { sub, clientId: null });
  for (const row of rows) {
    const payload: AdapterPayload = JSON.parse(row.payload);
    const openid = payload.openid as { readonly scope?: string } | undefined;
    if (openid?.scope === undefined || toGrantInfo(row).resources?.includes(resource) !== true) continue;
    const scope = openid.scope.split(' ').filter((name) => name !== 'offline_access');
    yield* run("UPDATE oidc_entities SET payload = @payload WHERE model = 'Grant' AND id = @id", {
      id: row.id,
      payload: JSON.stringify({ ...payload, openid: { ...openid, scope: scope.join(' ') } }),
    });
  }
}

/** Deletes a registered client, but not the grants that people gave it. */
export function* forgetClient(id: string): TransactionWork<void> {
  yield* run("DELETE FROM oidc_entities WHERE model = 'Client' AND id = @id", { id });
}

/**
 * Whether a refresh token may be used a second time. `never` treats that as theft and ends the session (RFC 9700
 * §4.14.2). `until_confirmed` assumes that the first response was lost if the token's successor has not been used: it
 * issues a new successor and deletes the lost one. This applies only to tokens that are bound to a key (RFC 9449 §5),
 * because only the machine with the key can use them. All other tokens are treated as with `never`.
 */
export type RefreshTokenReusePolicy = 'never' | 'until_confirmed';

function refreshTokenSuccessors({ json }: Dialect) {
  // A token's successors are the tokens of its grant with a higher `rotations` count.
  const successors = `model = 'RefreshToken' AND grant_id = @grantId
    AND COALESCE(CAST(${json('payload')}->>'rotations' AS integer), 0) > @rotations`;
  const of = (payload: { readonly grantId?: unknown; readonly rotations?: unknown }) => ({
    grantId: String(payload.grantId),
    rotations: Number(payload.rotations ?? 0),
  });
  return {
    /** Returns whether any successor was used, which proves that the client received it. */
    *wereUsed(payload: object): TransactionWork<boolean> {
      const used = `SELECT id FROM oidc_entities WHERE ${successors} AND consumed_at IS NOT NULL LIMIT 1`;
      return (yield* one(used, of(payload))) !== undefined;
    },
    *drop(payload: object): TransactionWork<void> {
      yield* run(`DELETE FROM oidc_entities WHERE ${successors}`, of(payload));
    },
  };
}

/**
 * Ends every sign-in of browsers and agents in a provider's database. Called after a backup is restored, because
 * sign-ins that ended after the backup was made would otherwise be active again. Keeps people and their passkeys.
 */
export async function endAllSignIns(database: SqlTransactions): Promise<void> {
  await database.write(function* () {
    // Client registrations are not sign-ins.
    yield* run("DELETE FROM oidc_entities WHERE model <> 'Client'");
    for (const table of ['browser_sessions', 'phone_tickets', 'issued_tokens']) yield* run(`DELETE FROM ${table}`);
  });
}

/** Maps access tokens to the grants under which they were issued, because a JWT can't be revoked, but its grant can. */
export type IssuedTokenStore = ReturnType<typeof createIssuedTokenStore>;

/** @param now milliseconds since the epoch */
export function createIssuedTokenStore(database: SqlTransactions, now: () => number) {
  const { json, skipLocked } = database.dialect;
  return {
    note: (token: { readonly jti: string; readonly grantId: string; readonly expiresAt: number }): Promise<void> =>
      database.write(function* () {
        yield* run(
          `DELETE FROM issued_tokens WHERE jti IN
             (SELECT jti FROM issued_tokens WHERE expires_at < @now${skipLocked})`,
          { now: now() },
        );
        yield* run('INSERT INTO issued_tokens (jti, grant_id, expires_at) VALUES (@jti, @grantId, @expiresAt)', token);
      }),
    /** Returns the grant under which a token was issued, unless the grant has ended or its person was removed. */
    liveGrant: async (jti: string): Promise<string | undefined> => {
      const row = await database.one<{ grant_id: string }>(
        `SELECT tokens.grant_id FROM issued_tokens AS tokens
         JOIN oidc_entities AS grants ON grants.model = 'Grant' AND grants.id = tokens.grant_id
         JOIN people ON people.username = ${json('grants.payload')}->>'accountId' AND people.removed_at IS NULL
         WHERE tokens.jti = @jti AND (grants.expires_at IS NULL OR grants.expires_at > @seconds)`,
        { jti, seconds: Math.floor(now() / 1000) },
      );
      return row?.grant_id;
    },
  };
}
