import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { type JWTVerifyGetKey, errors as joseErrors, jwtVerify } from 'jose';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import type { ExchangeParameters } from '../../home/identity-provider/protocol/protocol.ts';
import { ID_TOKEN_TYPE, REFRESH_TOKEN_TYPE } from '../../oauth/oauth-names.ts';

export interface TokenSubject {
  readonly sub: string;
  readonly authTime: number | undefined;
  readonly acr: string | undefined;
  readonly amr: readonly string[] | undefined;
}

/** Records the sign-in to which each ID token belongs, so that an ID token becomes invalid when its sign-in ends. */
export type IdTokens = ReturnType<typeof createIdTokens>;

export function createIdTokens(database: Database, lifetimeS: number, now: () => number) {
  const insert = database.prepare<[string, string, number]>('INSERT OR IGNORE INTO company_id_tokens VALUES (?, ?, ?)');
  const find = database.prepare<[string], { grant_id: string }>(
    'SELECT grant_id FROM company_id_tokens WHERE digest = ?',
  );
  const purge = database.prepare<[number]>('DELETE FROM company_id_tokens WHERE expires_at < ?');
  const digestOf = (token: string) => createHash('sha256').update(token).digest('base64url');
  return {
    note: (token: string, grantId: string): void => {
      purge.run(now());
      insert.run(digestOf(token), grantId, now() + lifetimeS * 1000);
    },
    grantOf: (token: string): string | undefined => find.get(digestOf(token))?.grant_id,
  };
}

export interface SubjectOptions {
  readonly issuer: string;
  readonly verificationKey: JWTVerifyGetKey;
  readonly idTokens: IdTokens;
  readonly now: () => number;
}

/**
 * Verifies `subject_token` (RFC 8693 §2.1): an ID token or refresh token that was issued to this client and belongs to
 * an active sign-in.
 * @throws `invalid_request` for another token type, `invalid_grant` for an invalid token
 */
export async function verifySubjectToken(
  ctx: TokenEndpointGrantContext<ExchangeParameters>,
  options: SubjectOptions,
): Promise<TokenSubject> {
  const { subject_token: token, subject_token_type: type } = ctx.oidc.params;
  if (token === undefined || token === '') throw new errors.InvalidRequest('subject_token is missing');
  if (type === ID_TOKEN_TYPE) return await subjectOfIdToken(ctx, token, options);
  if (type === REFRESH_TOKEN_TYPE) return await subjectOfRefreshToken(ctx, token);
  throw new errors.InvalidRequest(`subject_token_type must be ${ID_TOKEN_TYPE} or ${REFRESH_TOKEN_TYPE}`);
}

async function subjectOfIdToken(
  { oidc: { client, provider } }: TokenEndpointGrantContext<ExchangeParameters>,
  token: string,
  { issuer, verificationKey, now, idTokens: known }: SubjectOptions,
): Promise<TokenSubject> {
  const { payload } = await jwtVerify(token, verificationKey, {
    issuer,
    audience: client.clientId,
    algorithms: ['ES256'],
    requiredClaims: ['sub', 'exp', 'iat'],
    currentDate: new Date(now()),
  }).catch((error: unknown) => {
    if (error instanceof joseErrors.JOSEError) throw new errors.InvalidGrant(`subject_token: ${error.code}`);
    throw error;
  });
  const grantId = known.grantOf(token);
  const grant = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  if (grant === undefined || grant.accountId !== payload.sub) throw new errors.InvalidGrant('the sign-in has ended');
  const { sub = '', auth_time: authTime, acr, amr } = payload;
  return {
    sub,
    authTime: typeof authTime === 'number' ? authTime : undefined,
    acr: typeof acr === 'string' ? acr : undefined,
    amr: Array.isArray(amr) ? amr.map(String) : undefined,
  };
}

async function subjectOfRefreshToken(
  { oidc: { client, provider } }: TokenEndpointGrantContext<ExchangeParameters>,
  token: string,
): Promise<TokenSubject> {
  const found = await provider.RefreshToken.find(token);
  if (found === undefined || found.clientId !== client.clientId || found.consumed) {
    throw new errors.InvalidGrant('subject_token is not a refresh token of the client');
  }
  const grant = await provider.Grant.find(found.grantId ?? '');
  if (grant === undefined || found.accountId === undefined) throw new errors.InvalidGrant('the sign-in has ended');
  const { accountId: sub, authTime, acr, amr } = found;
  return { sub, authTime, acr, amr };
}
