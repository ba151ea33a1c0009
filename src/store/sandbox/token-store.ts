import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3-multiple-ciphers';

const CODE_LIFETIME_MS = 60_000;
const ACCESS_LIFETIME_MS = 15 * 60_000;
const REFRESH_LIFETIME_MS = 90 * 86_400_000;

export interface TokenGrant {
  client_id: string;
  username: string;
  scopes: readonly string[];
}

interface CodeRequest extends TokenGrant {
  redirect_uri: string;
  /** PKCE S256 (RFC 7636). */
  code_challenge: string;
}

/** Parameters that a client sends when it redeems a code. They prove that the same client requested the code. */
interface CodeProof {
  client_id: string;
  redirect_uri: string;
  code_verifier: string;
}

export interface IssuedTokens {
  access_token: string;
  token_type: 'Bearer';
  /** Lifetime of the access token, in seconds. */
  expires_in: number;
  refresh_token: string;
  scope: string;
}

export type TokenStore = ReturnType<typeof openTokenStore>;

interface CodeRow {
  client_id: string;
  username: string;
  scope: string;
  redirect_uri: string;
  code_challenge: string;
  family: string;
  expires_at: number;
  used: 0 | 1;
}

interface TokenRow {
  kind: 'access' | 'refresh';
  family: string;
  client_id: string;
  username: string;
  scope: string;
  expires_at: number;
  used: 0 | 1;
}

/** Stores only hashes, so that nobody who reads the database can use the codes and tokens. */
export function openTokenStore(database: Database.Database, now: () => number) {
  const insertCode = database.prepare(
    `INSERT INTO broker_oauth_codes (hash, client_id, username, scope, redirect_uri, code_challenge, family, expires_at)
     VALUES (:hash, :client_id, :username, :scope, :redirect_uri, :code_challenge, :family, :expires_at)`,
  );
  const findCode = database.prepare<[string], CodeRow>('SELECT * FROM broker_oauth_codes WHERE hash = ?');
  const useCode = database.prepare<[string]>('UPDATE broker_oauth_codes SET used = 1 WHERE hash = ?');
  const insertToken = database.prepare(
    `INSERT INTO broker_oauth_tokens (hash, kind, family, client_id, username, scope, expires_at)
     VALUES (:hash, :kind, :family, :client_id, :username, :scope, :expires_at)`,
  );
  const findToken = database.prepare<[string], TokenRow>('SELECT * FROM broker_oauth_tokens WHERE hash = ?');
  const useToken = database.prepare<[string]>('UPDATE broker_oauth_tokens SET used = 1 WHERE hash = ?');
  const dropFamily = database.prepare<[string]>('DELETE FROM broker_oauth_tokens WHERE family = ?');
  const dropOldCodes = database.prepare<[number]>('DELETE FROM broker_oauth_codes WHERE expires_at < ?');
  const dropOldTokens = database.prepare<[number]>('DELETE FROM broker_oauth_tokens WHERE expires_at < ?');

  const issue = (grant: { client_id: string; username: string; scope: string }, family: string): IssuedTokens => {
    dropOldTokens.run(now());
    const write = (kind: TokenRow['kind'], life: number): string => {
      const token = randomBytes(32).toString('base64url');
      const { client_id, username, scope } = grant;
      const expires_at = now() + life;
      insertToken.run({ hash: hashToken(token), kind, family, client_id, username, scope, expires_at });
      return token;
    };
    return {
      access_token: write('access', ACCESS_LIFETIME_MS),
      token_type: 'Bearer',
      expires_in: ACCESS_LIFETIME_MS / 1000,
      refresh_token: write('refresh', REFRESH_LIFETIME_MS),
      scope: grant.scope,
    };
  };
  const inTransaction = <T>(work: () => T): T => database.transaction(work).immediate();

  return {
    issueCode({ client_id, username, scopes, redirect_uri, code_challenge }: CodeRequest): string {
      // Used codes are kept for a day, so that using a code a second time still revokes its tokens.
      dropOldCodes.run(now() - 86_400_000);
      const code = randomBytes(32).toString('base64url');
      insertCode.run({
        hash: hashToken(code),
        client_id,
        username,
        scope: scopes.join(' '),
        redirect_uri,
        code_challenge,
        family: randomUUID(),
        expires_at: now() + CODE_LIFETIME_MS,
      });
      return code;
    },
    /**
     * Redeems a code. A second attempt revokes the tokens that were issued for the code (RFC 6749 §4.1.2).
     * @returns undefined if the code is unknown, used or expired, or was not issued for this client, redirect URI and
     * verifier
     */
    redeemCode: (code: string, proof: CodeProof): IssuedTokens | undefined =>
      inTransaction(() => {
        const row = findCode.get(hashToken(code));
        if (row === undefined) return undefined;
        if (row.used === 1) {
          dropFamily.run(row.family);
          return undefined;
        }
        useCode.run(hashToken(code));
        return row.expires_at > now() && matchesProof(row, proof) ? issue(row, row.family) : undefined;
      }),
    /**
     * Rotates a refresh token. Using an old token again revokes all tokens from the same consent (RFC 9700 §4.14.2).
     * @returns undefined if the token is unknown, used, expired or another client's, or if the scopes exceed the grant
     */
    refresh: (token: string, client_id: string, scopes?: readonly string[]): IssuedTokens | undefined =>
      inTransaction(() => {
        const row = findToken.get(hashToken(token));
        if (row?.kind !== 'refresh' || row.client_id !== client_id) return undefined;
        if (row.used === 1) {
          dropFamily.run(row.family);
          return undefined;
        }
        const granted = row.scope.split(' ');
        if (row.expires_at <= now() || scopes?.some((scope) => !granted.includes(scope))) return undefined;
        useToken.run(hashToken(token));
        return issue(row, row.family);
      }),
    accessToken(token: string): TokenGrant | undefined {
      const row = findToken.get(hashToken(token));
      if (row?.kind !== 'access' || row.expires_at <= now()) return undefined;
      return { client_id: row.client_id, username: row.username, scopes: row.scope.split(' ') };
    },
    /** Revokes a client's token and all tokens from the same consent (RFC 7009). Ignores unknown tokens. */
    revoke(token: string, client_id: string): void {
      const row = findToken.get(hashToken(token));
      if (row?.client_id === client_id) dropFamily.run(row.family);
    },
  };
}

function matchesProof(row: CodeRow, { client_id, redirect_uri, code_verifier }: CodeProof): boolean {
  return (
    row.client_id === client_id &&
    row.redirect_uri === redirect_uri &&
    row.code_challenge === createHash('sha256').update(code_verifier).digest('base64url')
  );
}

const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url');
