import { createHash } from 'node:crypto';
import {
  type CompactJWSHeaderParameters,
  type CryptoKey,
  calculateJwkThumbprint,
  decodeJwt,
  EmbeddedJWK,
  errors,
  type JWTPayload,
  jwtVerify,
  type ResolvedKey,
} from 'jose';
import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Membership } from '../../oauth/membership.ts';
import type { ProofStore } from '../../store/proof-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';
import { isObject } from '../../values/is-object.ts';
import type { Caller } from './caller.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { CLOCK_SKEW_SECONDS, SIGNING_ALGORITHMS } from './token-rules.ts';

interface Credentials {
  readonly method: string;
  /** The path as the client sent it, without the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly dpop: string | undefined;
}

interface TokenVerifierOptions {
  readonly provider: IdentityProvider;
  readonly resource: string;
  /** Base URL that the `htu` of every DPoP proof must begin with (default: the resource). */
  readonly base?: string | undefined;
  /** Other audiences on this server. A token that also names one of them is rejected, because it would work at both. */
  readonly otherAudiences?: readonly string[] | undefined;
  readonly proofs: ProofStore;
  readonly clock: Clock;
  /** Returns whether a token's session has ended. Without this function, a token stays valid until it expires. */
  readonly isRevoked?: IsTokenRevoked | undefined;
  /** Whether to reject tokens that are not bound to a key, because anyone who steals such a token can use it. */
  readonly requireBoundTokens?: boolean | undefined;
  /** Clients whose tokens are accepted (default: every client). */
  readonly allowedClients?: readonly string[] | undefined;
}

export type IsTokenRevoked = (jti: string) => boolean | Promise<boolean>;

export type TokenVerifier = (credentials: Credentials) => Promise<Caller>;

/**
 * Creates a verifier for JWT access tokens (RFC 9068 §4). A token with `cnf.jkt` must be sent as `DPoP` (RFC 9449 §7),
 * because a bound token that is sent as `Bearer` may be stolen. Any other token must be sent as `Bearer`.
 * @returns a verifier that throws an {@link HttpProblem}: 401 with a different code for each failure, 403
 * `client_not_allowed`, or 503 `provider_unreachable`
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const base = (options.base ?? options.resource).replace(/\/+$/, '');
  const claimsOf = cacheTokenVerifications(options.provider, (token, now) => verified(token, options, now));

  const callerBy = async ({ method, path, authorization, dpop }: Credentials): Promise<Caller> => {
    const { scheme, token } = parseAuthorization(authorization);
    const now = timeAtProvider(options);
    const claims = await claimsOf(token, now);
    const caller = callerOf(token, claims, options.provider);

    const thumbprint = boundKeyThumbprint(claims);
    if (thumbprint !== undefined && scheme === 'bearer') {
      throw tokenRefusal('token_bound', 'the access token is bound to a key but was sent as a Bearer token', {
        hint: 'Send the token with the DPoP scheme, and add a proof.',
      });
    }
    if (thumbprint === undefined && scheme === 'dpop') {
      throw tokenRefusal('token_not_bound', 'the access token is not bound to a key but was sent with the DPoP scheme');
    }
    if (thumbprint === undefined && options.requireBoundTokens) {
      throw tokenRefusal('token_not_bound', 'the access token is not bound to a key', {
        hint: 'Use a client whose tokens are bound with DPoP, or set "require_bound_tokens: false" in gateway.yaml.',
      });
    }
    if (thumbprint !== undefined) {
      await verifyDpopProof(
        dpop,
        { method, url: `${base}${path}`, accessToken: token, thumbprint, now },
        options.proofs,
      );
    }

    requireAllowed(caller, options.allowedClients);
    await requireUnrevokedToken(caller, options.isRevoked);
    return thumbprint === undefined ? caller : { ...caller, jkt: thumbprint };
  };
  return (credentials) => retryWithProviderClock(options.provider, () => callerBy(credentials));
}

/** Problems that a wrong clock may cause. */
const CLOCK_PROBLEMS: readonly ProblemCode[] = ['token_expired', 'token_not_yet_valid', 'dpop_proof_stale'];

/**
 * Calls `judge`. If it throws one of {@link CLOCK_PROBLEMS}, compares the clocks again, and calls `judge` again if the
 * known difference from the provider's clock has changed since the first call.
 */
async function retryWithProviderClock<T>(
  { time }: Pick<IdentityProvider, 'time'>,
  judge: () => Promise<T>,
): Promise<T> {
  const before = time?.secondsAhead() ?? 0;
  try {
    return await judge();
  } catch (error) {
    const isAboutTime = error instanceof HttpProblem && CLOCK_PROBLEMS.includes(error.code);
    if (!isAboutTime || time === undefined || !(await time.compare(before))) throw error;
    return await judge();
  }
}

function timeAtProvider({ provider, clock }: Pick<TokenVerifierOptions, 'provider' | 'clock'>): number {
  return provider.time?.now() ?? clock.now();
}

/**
 * Verifies an approval token, which the provider issued to the gateway itself, and returns the approver (RFC 9068 §4).
 * The token need not be bound to a key, and may have been issued to any client.
 * @param time `isFirst` is false for a token that was verified before, which may have expired since then
 * @throws {HttpProblem} 401 with a different code for each failure, 503 `provider_unreachable`
 */
export async function verifyApprovalToken(
  token: string,
  options: Pick<TokenVerifierOptions, 'provider' | 'resource' | 'clock'>,
  time: { readonly isFirst: boolean } = { isFirst: true },
): Promise<Caller> {
  return await retryWithProviderClock(options.provider, async () => {
    const now = timeAtProvider(options);
    const { claims } = await verified(token, options, time.isFirst ? now : issuedAt(token, now));
    return callerOf(token, claims, options.provider);
  });
}

/** Returns the token's `iat` in milliseconds, but at most `otherwise`. Without an `iat`, returns `otherwise`. */
function issuedAt(token: string, otherwise: number): number {
  try {
    const { iat } = decodeJwt(token);
    return iat === undefined ? otherwise : Math.min(iat * 1000, otherwise);
  } catch {
    return otherwise;
  }
}

function callerOf(token: string, claims: AccessTokenClaims, { time }: Pick<IdentityProvider, 'time'>): Caller {
  return {
    sub: claims.sub,
    // RFC 9068 §2.2 requires `client_id`, but Keycloak's tokens have only `azp` (version 26.4, measured).
    clientId: textOf(claims.client_id) ?? textOf(claims.azp),
    scopes: new Set(typeof claims.scope === 'string' ? claims.scope.split(' ').filter(Boolean) : []),
    clientName: textOf(claims.client_name),
    membership: membershipOf(claims),
    username: textOf(claims.preferred_username),
    email: textOf(claims.email),
    authTime: typeof claims.auth_time === 'number' ? claims.auth_time : undefined,
    jti: claims.jti,
    acr: [textOf(claims.acr) ?? ''],
    authorizationDetails: claims.authorization_details,
    approvalEvidence: claims.approval_evidence,
    accessToken: token,
    expiresAt: (claims.exp + (time?.secondsAhead() ?? 0)) * 1000,
  };
}

function membershipOf(claims: JWTPayload): Membership | undefined {
  const membership = defined({
    org: textOf(claims.org),
    company: textOf(claims.company),
    groups: readGroups(claims.groups),
    act: readActor(claims.act),
  });
  return Object.keys(membership).length === 0 ? undefined : membership;
}

/** Parses a list of groups or a single group. Rejects unreadable groups, because a policy might forbid one of them. */
function readGroups(groups: unknown): readonly string[] | undefined {
  if (groups === undefined || groups === null) return undefined;
  const list: readonly unknown[] = Array.isArray(groups) ? groups : [groups];
  if (list.every((group): group is string => textOf(group) !== undefined)) return list;
  throw tokenRefusal('token_claims', 'the "groups" claim of the access token is not a list of names');
}

/** Returns the current actor (RFC 8693 §4.1). Rejects an `act` claim that can't be read. */
function readActor(act: unknown): string | undefined {
  if (act === undefined) return undefined;
  const { sub, client_id: client } = typeof act === 'object' ? ((act as Partial<JWTPayload>) ?? {}) : {};
  const actor = textOf(sub) ?? textOf(client);
  if (actor === undefined) throw tokenRefusal('token_claims', 'the "act" claim of the access token has no "sub"');
  return actor;
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' ? claim : undefined;
}

/** Requires that a token was not revoked. @throws {HttpProblem} 401 `token_revoked` */
export async function requireUnrevokedToken({ jti }: Pick<Caller, 'jti'>, isRevoked: IsTokenRevoked | undefined) {
  if (isRevoked === undefined || !(await isRevoked(jti))) return;
  throw tokenRefusal('token_revoked', 'the access token was revoked', { hint: 'Log in again.' });
}

function requireAllowed({ clientId }: Caller, allowed: readonly string[] | undefined): void {
  if (allowed === undefined || (clientId !== undefined && allowed.includes(clientId))) return;
  throw new HttpProblem(403, 'client_not_allowed', 'the access token’s client may not use this gateway', {
    hint: 'The gateway’s operator can add the client to "allowed_clients" in gateway.yaml.',
    challenge: {},
  });
}

function parseAuthorization(header: string | undefined): { scheme: 'bearer' | 'dpop'; token: string } {
  if (header === undefined || header.trim() === '') {
    // The challenge must not contain an error code if the request has no credentials (RFC 6750 §3.1).
    throw new HttpProblem(401, 'token_missing', 'the request has no access token', {
      hint: 'Log in first.',
      challenge: {},
    });
  }
  const [, scheme, token] = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header.trim()) ?? [];
  if (scheme === undefined || token === undefined) {
    throw tokenRefusal('token_malformed', 'the Authorization header is neither "Bearer TOKEN" nor "DPoP TOKEN"');
  }
  return { scheme: scheme.toLowerCase() as 'bearer' | 'dpop', token };
}

async function verified(
  token: string,
  { provider, resource, otherAudiences = [] }: Pick<TokenVerifierOptions, 'provider' | 'resource' | 'otherAudiences'>,
  now: number,
): Promise<VerifiedToken> {
  // The provider's own spelling of the issuer is used, because it may differ from the settings in a trailing slash.
  const { issuer } = await provider.metadata();
  try {
    const { payload, protectedHeader, key } = await jwtVerify(token, provider.key, {
      algorithms: [...SIGNING_ALGORITHMS],
      typ: 'at+jwt',
      issuer,
      audience: resource,
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'iat', 'sub', 'jti'],
    });
    const { sub, jti, exp, iat, aud } = payload;
    if (Array.isArray(aud) && aud.some((one) => otherAudiences.includes(one))) {
      throw tokenRefusal('token_audience', 'the access token is for more than one audience of this server');
    }
    if (typeof sub !== 'string' || sub === '' || typeof jti !== 'string' || jti === '') {
      throw tokenRefusal('token_claims', 'the access token has an empty sub or jti');
    }
    if (typeof iat !== 'number' || iat > now / 1000 + CLOCK_SKEW_SECONDS) {
      throw tokenRefusal('token_not_yet_valid', 'the access token was issued in the future', {
        hint: 'Check the clock of the gateway’s machine against the identity provider’s.',
      });
    }
    return {
      claims: { ...payload, sub, jti, iat, exp: exp as number },
      header: protectedHeader,
      key,
    };
  } catch (error) {
    throw tokenProblem(error);
  }
}

/** Returns the problem for a verification error. An unexpected error counts as an invalid token. */
function tokenProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return tokenRefusal('token_algorithm', 'the access token is signed with an algorithm that is not accepted here');
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return tokenRefusal('token_signature', 'the signature of the access token is invalid');
  }
  if (error instanceof errors.JWTExpired) {
    return tokenRefusal('token_expired', 'the access token has expired', { hint: 'Refresh the token.' });
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    switch (error.claim) {
      case 'iss':
        return tokenRefusal('token_issuer', 'the access token is from a different issuer');
      case 'aud':
        return tokenRefusal('token_audience', 'the access token is for a different audience');
      case 'typ':
        return tokenRefusal('token_type', 'the token is not an access token (typ at+jwt, RFC 9068)');
      case 'nbf':
        return tokenRefusal('token_not_yet_valid', 'the access token is not valid yet');
      default:
        return tokenRefusal('token_claims', 'the access token lacks a claim that RFC 9068 requires');
    }
  }
  return tokenRefusal('token_malformed', 'the access token is not a well-formed JWT');
}

/** Rejects a token with any binding other than `cnf.jkt` (RFC 9449 §6.1), which the gateway can't check. */
function boundKeyThumbprint(claims: JWTPayload): string | undefined {
  if (claims.cnf === undefined) return undefined;
  const jkt = isObject(claims.cnf) ? textOf(claims.cnf.jkt) : undefined;
  if (jkt !== undefined) return jkt;
  throw tokenRefusal('token_claims', 'the access token has a binding that is not supported here');
}

function tokenRefusal(code: ProblemCode, detail: string, options: { hint?: string } = {}): HttpProblem {
  return new HttpProblem(401, code, detail, { ...options, challenge: { error: 'invalid_token' } });
}

type AccessTokenClaims = JWTPayload & { sub: string; jti: string; exp: number; iat: number };

interface VerifiedToken {
  readonly claims: AccessTokenClaims;
  readonly header: CompactJWSHeaderParameters;
  readonly key: ResolvedKey['key'];
}

const MOST_TOKENS = 1_000;

/** Placeholders for a token's payload and signature, because selecting a key needs only the header. */
const HEADER_ONLY = { payload: '', signature: '' };

/**
 * Returns a function that verifies each token's signature only once, instead of on every request. Each call still
 * checks that the token has not expired and that the provider still publishes the key; otherwise the token is verified
 * again.
 * @param verify rejects if the token is invalid; `now` is in milliseconds since the epoch
 */
export function cacheTokenVerifications(
  provider: Pick<IdentityProvider, 'key'>,
  verify: (token: string, now: number) => Promise<VerifiedToken>,
): (token: string, now: number) => Promise<AccessTokenClaims> {
  // Keyed by the tokens' hashes, so that the cache contains no usable token.
  const known = new Map<string, VerifiedToken & { readonly since: number }>();

  const isStillItsKey = async ({ header, key }: VerifiedToken): Promise<boolean> => {
    try {
      return (await provider.key(header, HEADER_ONLY)) === key;
    } catch {
      return false;
    }
  };

  return async (token, now) => {
    const name = createHash('sha256').update(token).digest('base64url');
    const before = known.get(name);
    if (before !== undefined && before.since <= now && now < before.claims.exp * 1000) {
      if (await isStillItsKey(before)) return before.claims;
    }
    known.delete(name);
    const verified = await verify(token, now);
    if (known.size >= MOST_TOKENS) known.clear();
    known.set(name, { ...verified, since: now });
    return verified.claims;
  };
}

/** Maximum age of a DPoP proof, and how long a proof's `jti` is stored (RFC 9449 §11.1). */
const MAX_PROOF_AGE_SECONDS = 60;
/** How far a client's clock may be ahead of the gateway's (RFC 9449 §11.1). */
const MAX_PROOF_AHEAD_SECONDS = 60;

/** Maximum number of cached keys. Keys are cached because a session uses the same key for weeks. */
const MAX_CACHED_KEYS = 1_000;

interface ProofKey {
  readonly key: CryptoKey;
  /** RFC 7638 thumbprint. */
  readonly thumbprint: string;
}

/** Imported keys of earlier proofs. A map key is the algorithm and the JWK exactly as written in a proof. */
const keys = new Map<string, ProofKey>();

/** The request that a DPoP proof must match (RFC 9449 §4.3). */
interface ProofTarget {
  readonly method: string;
  /** The URL without query and fragment, built from the configured resource and never from the Host header. */
  readonly url: string;
  readonly accessToken: string;
  /** The token's `cnf.jkt`. */
  readonly thumbprint: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Checks a DPoP proof as RFC 9449 §4.3 requires, and rejects a proof that was already used. The proof's `jti` is stored
 * only after all other checks, so that a forged proof can't block a real proof with the same `jti`.
 * @throws {HttpProblem} 401, with a different code for each check
 */
export async function verifyDpopProof(proof: string | undefined, target: ProofTarget, seen: ProofStore): Promise<void> {
  if (proof === undefined || proof === '') {
    throw proofRefusal('dpop_proof_missing', 'the access token is bound to a key, but the request has no DPoP proof');
  }
  // Two DPoP headers arrive joined by a comma, which never occurs in a JWT.
  if (proof.includes(',')) throw proofRefusal('dpop_proof_malformed', 'the request has more than one DPoP proof');

  const { payload, name, key, thumbprint } = await verifiedProof(proof, target.now);
  const { jti, iat, htm, htu, ath } = payload;
  if (thumbprint !== target.thumbprint) {
    throw proofRefusal('dpop_key_mismatch', 'the DPoP proof is signed with a different key than the token is bound to');
  }
  if (htm !== target.method) {
    throw proofRefusal('dpop_proof_method', 'the DPoP proof is for a different HTTP method');
  }
  if (typeof htu !== 'string' || !isSameTarget(htu, target.url)) {
    throw proofRefusal('dpop_proof_url', 'the DPoP proof is for a different URL');
  }
  if (ath !== createHash('sha256').update(target.accessToken).digest('base64url')) {
    throw proofRefusal('dpop_proof_token', 'the DPoP proof is not for this access token');
  }
  const now = target.now / 1000;
  if (typeof iat !== 'number' || iat > now + MAX_PROOF_AHEAD_SECONDS || iat < now - MAX_PROOF_AGE_SECONDS) {
    throw proofRefusal('dpop_proof_stale', 'the DPoP proof is too old or from the future', {
      hint: 'Create a new proof for each request, and check the clock of this machine.',
    });
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) {
    throw proofRefusal('dpop_proof_malformed', 'the DPoP proof has no valid jti');
  }
  const isNew = await seen.remember(`${thumbprint}.${jti}`, (iat + MAX_PROOF_AGE_SECONDS + 1) * 1000, target.now);
  if (!isNew) {
    throw proofRefusal('dpop_proof_replayed', 'the DPoP proof was already used');
  }
  if (keys.size >= MAX_CACHED_KEYS && !keys.has(name)) keys.clear();
  keys.set(name, { key, thumbprint });
}

async function verifiedProof(
  proof: string,
  now: number,
): Promise<ProofKey & { readonly payload: JWTPayload; readonly name: string }> {
  let name = '';
  try {
    const verified = await jwtVerify(
      proof,
      (header, token) => {
        name = JSON.stringify([header.alg, header.jwk]);
        return keys.get(name)?.key ?? EmbeddedJWK(header, token);
      },
      {
        algorithms: [...SIGNING_ALGORITHMS],
        typ: 'dpop+jwt',
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(now),
      },
    );
    const { payload, key, protectedHeader } = verified;
    const thumbprint = keys.get(name)?.thumbprint ?? (await calculateJwkThumbprint(protectedHeader.jwk ?? {}));
    return { payload, name, key, thumbprint };
  } catch (cause) {
    if (cause instanceof errors.JOSEAlgNotAllowed) {
      throw proofRefusal(
        'dpop_proof_algorithm',
        'the DPoP proof is signed with an algorithm that is not accepted here',
      );
    }
    if (cause instanceof errors.JWSSignatureVerificationFailed) {
      throw proofRefusal('dpop_proof_signature', 'the signature of the DPoP proof is invalid');
    }
    throw proofRefusal('dpop_proof_malformed', 'the DPoP proof is not a well-formed DPoP proof JWT');
  }
}

/** Compares the URLs after normalization, without query and fragment (RFC 9449 §4.3 point 9). */
function isSameTarget(htu: string, expected: string): boolean {
  if (!URL.canParse(htu)) return false;
  const claimed = new URL(htu);
  const wanted = new URL(expected);
  return claimed.origin === wanted.origin && claimed.pathname === wanted.pathname;
}

function proofRefusal(code: ProblemCode, detail: string, options: { hint?: string } = {}): HttpProblem {
  return new HttpProblem(401, code, detail, { ...options, challenge: { error: 'invalid_dpop_proof' } });
}
