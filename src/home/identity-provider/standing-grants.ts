import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { AdapterPayload } from 'oidc-provider';

/** By whom, and to which client. */
export interface Granted {
  readonly sub: string;
  readonly clientId: string;
  /** For what its tokens are (RFC 8707), where that is known. */
  readonly resources?: readonly string[];
}

/** What people have granted, while it stands; revocation deletes it. */
export interface StandingGrants {
  grant(id: string): Granted | undefined;
  /** All of one person's. */
  grantsOf(sub: string): Granted[];
  /** Ends a grant, and all that was issued under it. */
  endGrant(id: string): void;
  /** Ends all that a person granted, or one client of theirs was. */
  endGrants(of: { readonly sub: string; readonly clientId?: string }): void;
  /** Takes `offline_access` out of what a person granted for a resource; the rest stands. */
  endOffline(of: { readonly sub: string; readonly resource: string }): void;
}

/** Looks among `oidc_entities`, which must be there. */
export function standingGrants(database: Database): StandingGrants {
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
    grantsOf: (sub) => idsOf.all(sub, null, null).flatMap(({ id }) => grant(id) ?? []),
    endGrant: (id) => {
      end.run(id, id);
    },
    endGrants: ({ sub, clientId }) => {
      for (const { id } of idsOf.all(sub, clientId ?? null, clientId ?? null)) end.run(id, id);
    },
    endOffline: ({ sub, resource }) => {
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
