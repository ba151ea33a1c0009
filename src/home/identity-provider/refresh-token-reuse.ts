import type { Database } from 'better-sqlite3-multiple-ciphers';

/**
 * What a second use of a refresh token means. `never`: theft, and the session ends (RFC 9700 §4.14.2).
 * `until_confirmed`: that the answer to the first use was lost on its way, as long as nothing that came of it was used;
 * it is answered once more, and the lost successor becomes worthless. That goes for tokens that are bound to a key (RFC
 * 9449 §5), so that only the machine they were given to can use them at all; for others it is always `never`.
 */
export type RefreshTokenReuse = 'never' | 'until_confirmed';

/** Looks at the successors of a used refresh token, among `oidc_entities`. */
export function refreshTokenSuccessors(database: Database) {
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
