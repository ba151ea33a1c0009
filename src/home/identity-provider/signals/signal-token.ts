import { createHash } from 'node:crypto';
import {
  decodeJwt,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  errors as joseErrors,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import { CLOCK_SKEW_SECONDS, SIGNING_ALGORITHMS } from '../../../gateway/auth/token-rules.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { isObject } from '../../../values/is-object.ts';
import type { Company } from '../companies/company.ts';
import { parseEventsClaim, type SecurityEvent, SignalRejectionError } from './security-events.ts';

/** Subject identifier in `iss_sub` format (RFC 9493 §3.2.3). */
const issuerSubject = z.object({
  format: z.literal('iss_sub'),
  iss: z.string().min(1),
  sub: z.string().min(1).max(255),
});

/**
 * A person and a session (OpenID Shared Signals Framework 1.0 §3.2). The session is ignored, because the home doesn't
 * know companies' sessions.
 */
const complexSubject = z.object({ format: z.literal('complex'), user: issuerSubject });

const subjectSchema = z.union([issuerSubject, complexSubject]);

/**
 * Returns the company's `sub` for the person, from the claim `sub_id` (RFC 9493 §4.1).
 * @throws {SignalRejectionError} `invalid_request` for other formats (such as an e-mail address) and other issuers
 */
function subjectId(subject: unknown, issuer: string): string {
  const read = subjectSchema.safeParse(subject);
  if (!read.success) {
    throw new SignalRejectionError(
      'invalid_request',
      'sub_id must have the format iss_sub, or complex with an iss_sub user',
    );
  }
  const { iss, sub } = read.data.format === 'complex' ? read.data.user : read.data;
  if (iss !== issuer) throw new SignalRejectionError('invalid_request', 'sub_id names a different issuer');
  return sub;
}

/**
 * Maximum age of a security event, in seconds. Senders retry for days while this home is off, and a person who left the
 * company must still lose access. Received events are remembered for longer, so that no event is applied twice.
 */
export const MAX_EVENT_AGE_S = 7 * 24 * 3600;
/**
 * Maximum age of a logout token in seconds. It is short because the token is for a single request (Back-Channel Logout
 * 1.0 §2.4 recommends two minutes).
 */
const MAX_LOGOUT_AGE_S = 10 * 60;

/** Event type of a logout token (Back-Channel Logout 1.0 §2.4). */
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** The content of a verified token that a company from `home.yaml` signed. */
export interface Signal {
  readonly company: Company;
  readonly jti: string;
  /**
   * Digest of the whole token. Receiving the same token again is a retry. A different token with the same `jti` is a
   * replay.
   */
  readonly digest: string;
  /** Seconds since the epoch, according to the company's clock. */
  readonly issuedAt: number;
  /** The event and the company's `sub` for the person. Undefined if the event affects nobody in this home. */
  readonly about: (SecurityEvent & { readonly subject: string }) | undefined;
}

export interface SignalTokenOptions {
  readonly companies: readonly Company[];
  /** Returns a company's keys. @throws {HttpProblem} 503 `provider_unreachable` */
  readonly companyKeyOf: (company: Company) => JWTVerifyGetKey;
  readonly now: () => number;
}

/**
 * Verifies and parses a Security Event Token (RFC 8417 §2.2, RFC 8935 §2).
 * @throws {SignalRejectionError}
 * @throws {HttpProblem} 503 if the company's keys can't be fetched; the sender should retry
 */
export async function verifySecurityEvent(token: string, options: SignalTokenOptions): Promise<Signal> {
  const company = issuingCompany(
    token,
    options.companies.filter(({ signals }) => signals !== undefined),
  );
  const payload = await verifyToken(token, company, options, {
    typ: 'secevent+jwt',
    audience: company.signals?.audience ?? '',
    oldest: MAX_EVENT_AGE_S,
  });
  const event = parseEventsClaim(payload.events);
  const about = event && { ...event, subject: subjectId(payload.sub_id, company.issuer) };
  return toSignal(token, company, payload, about);
}

/**
 * Verifies and parses a logout token (Back-Channel Logout 1.0 §2.6). It ends all of the person's sessions, because the
 * home doesn't know the session's `sid`.
 */
export async function verifyLogoutToken(token: string, options: SignalTokenOptions): Promise<Signal> {
  const company = issuingCompany(token, options.companies);
  const payload = await verifyToken(token, company, options, {
    typ: 'logout+jwt',
    audience: company.clients.map(({ client_id }) => client_id),
    oldest: MAX_LOGOUT_AGE_S,
    requiredClaims: ['exp'],
  });
  const { events, nonce, sub, sid } = payload;
  if (!isObject(events) || !isObject(events[LOGOUT_EVENT])) {
    throw new SignalRejectionError('invalid_request', 'events contains no logout event');
  }
  // Otherwise, an ID token with a nonce could pass as a logout token.
  if (nonce !== undefined) throw new SignalRejectionError('invalid_request', 'a logout token must not have a nonce');
  if (sid !== undefined && typeof sid !== 'string') {
    throw new SignalRejectionError('invalid_request', 'sid must be a string');
  }
  if (typeof sub !== 'string' || sub === '') {
    throw new SignalRejectionError('invalid_request', 'sub is required, because sessions are not known here');
  }
  const about = { effect: 'ended', event: 'backchannel-logout', reason: '', subject: sub } as const;
  return toSignal(token, company, payload, about);
}

/** Finds the company by the token's unverified issuer. The signature is verified later with that company's keys. */
function issuingCompany(token: string, companies: readonly Company[]): Company {
  let issuer: unknown;
  try {
    issuer = decodeJwt(token).iss;
  } catch {
    throw new SignalRejectionError('invalid_request', 'it is not a JWT');
  }
  const company = companies.find((one) => one.issuer === issuer);
  if (company === undefined) throw new SignalRejectionError('invalid_issuer', 'the issuer is not configured here');
  return company;
}

async function verifyToken(
  token: string,
  company: Company,
  { companyKeyOf, now }: SignalTokenOptions,
  {
    oldest,
    requiredClaims = [],
    ...rules
  }: Required<Pick<JWTVerifyOptions, 'typ' | 'audience'>> & {
    readonly oldest: number;
    readonly requiredClaims?: readonly string[];
  },
): Promise<JWTPayload & { readonly jti: string; readonly iat: number }> {
  try {
    const { payload } = await jwtVerify(token, companyKeyOf(company), {
      ...rules,
      algorithms: [...SIGNING_ALGORITHMS],
      issuer: company.issuer,
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(now()),
      requiredClaims: ['iss', 'aud', 'iat', 'jti', ...requiredClaims],
    });
    const { jti, iat } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > 255) {
      throw new SignalRejectionError('invalid_request', 'jti is invalid');
    }
    const seconds = now() / 1000;
    if (typeof iat !== 'number' || iat > seconds + CLOCK_SKEW_SECONDS) {
      throw new SignalRejectionError('invalid_request', 'iat is in the future');
    }
    if (iat < seconds - oldest) throw new SignalRejectionError('invalid_request', 'iat is too old');
    return { ...payload, jti, iat };
  } catch (error) {
    throw toSignalRejection(error);
  }
}

function toSignalRejection(error: unknown): unknown {
  if (error instanceof SignalRejectionError) return error;
  // Returns a 503, so that the sender retries. Any other key error is caused by the token.
  if (error instanceof HttpProblem) {
    if (error.status === 503) return error;
    return new SignalRejectionError('invalid_key', 'the issuer has no such key');
  }
  if (error instanceof joseErrors.JOSEAlgNotAllowed || error instanceof joseErrors.JOSENotSupported) {
    return new SignalRejectionError('invalid_key', 'it is signed with an algorithm that is not accepted');
  }
  if (error instanceof joseErrors.JWSSignatureVerificationFailed) {
    return new SignalRejectionError('authentication_failed', 'the signature is wrong');
  }
  if (error instanceof joseErrors.JWTClaimValidationFailed && error.claim === 'aud') {
    return new SignalRejectionError('invalid_audience', 'it is for another audience');
  }
  if (error instanceof joseErrors.JWTClaimValidationFailed || error instanceof joseErrors.JWTExpired) {
    return new SignalRejectionError('invalid_request', `its claim ${error.claim} is invalid`);
  }
  if (error instanceof joseErrors.JOSEError)
    return new SignalRejectionError('invalid_request', 'it is not a signed JWT');
  return error;
}

function toSignal(
  token: string,
  company: Company,
  { jti, iat }: { readonly jti: string; readonly iat: number },
  about: Signal['about'],
): Signal {
  const digest = createHash('sha256').update(token).digest('base64url');
  return { company, jti, digest, issuedAt: iat, about };
}
