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
import { CLOCK_SKEW_SECONDS, SIGNING_ALGORITHMS } from '../../../gateway/door/token-rules.ts';
import { Refusal } from '../../../trading/refusal.ts';
import { isObject } from '../../../values/is-object.ts';
import type { Company } from '../companies/company.ts';
import { eventOf, type SecurityEvent, SignalRefusal } from './security-events.ts';

/** RFC 9493 §3.2.3. */
const issuerSubject = z.object({
  format: z.literal('iss_sub'),
  iss: z.string().min(1),
  sub: z.string().min(1).max(255),
});

/** OpenID Shared Signals Framework 1.0 §3.2: a person, and a session, which is not known here. */
const complexSubject = z.object({ format: z.literal('complex'), user: issuerSubject });

const subjectSchema = z.union([issuerSubject, complexSubject]);

/**
 * The company's `sub` for the person in the claim `sub_id` (RFC 9493 §4.1).
 * @throws {SignalRefusal} `invalid_request` for other forms (e-mail address, phone number, opaque id) and other issuers
 */
function subjectOf(subject: unknown, issuer: string): string {
  const read = subjectSchema.safeParse(subject);
  if (!read.success) {
    throw new SignalRefusal('invalid_request', 'sub_id must be iss_sub, or complex with a user of that form');
  }
  const { iss, sub } = read.data.format === 'complex' ? read.data.user : read.data;
  if (iss !== issuer) throw new SignalRefusal('invalid_request', 'sub_id names somebody of another issuer');
  return sub;
}

/**
 * How old a security event may be. Days, since a sender retries while this home is off, and a leaver must not stay in for
 * that. Seen ones are remembered for longer, so that none counts twice.
 */
export const OLDEST_EVENT_S = 7 * 24 * 3600;
/** A logout token is made for one request (Back-Channel Logout 1.0 §2.4 recommends two minutes). */
const OLDEST_LOGOUT_S = 10 * 60;

/** Back-Channel Logout 1.0 §2.4. */
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** A token that a listed company signed, and what it says. */
export interface Signal {
  readonly company: Company;
  readonly jti: string;
  /** Of the whole token: the same token again is no replay, another one with its `jti` is. */
  readonly digest: string;
  /** Seconds since the epoch, by the company's clock. */
  readonly issuedAt: number;
  /** Undefined if it concerns nobody here. */
  readonly about: (SecurityEvent & { readonly subject: string }) | undefined;
}

export interface SignalTokenOptions {
  readonly companies: readonly Company[];
  /** @throws {Refusal} 503 `provider_unreachable` */
  readonly companyKeyOf: (company: Company) => JWTVerifyGetKey;
  readonly now: () => number;
}

/**
 * Reads a Security Event Token (RFC 8417 §2.2, RFC 8935 §2).
 * @throws {SignalRefusal}
 * @throws {Refusal} 503 if the company's keys can't be fetched: the sender should retry
 */
export async function securityEvent(token: string, options: SignalTokenOptions): Promise<Signal> {
  const company = companyOf(
    token,
    options.companies.filter(({ signals }) => signals !== undefined),
  );
  const payload = await verified(token, company, options, {
    typ: 'secevent+jwt',
    audience: company.signals?.audience ?? '',
    oldest: OLDEST_EVENT_S,
  });
  const event = eventOf(payload.events);
  const about = event && { ...event, subject: subjectOf(payload.sub_id, company.issuer) };
  return signalOf(token, company, payload, about);
}

/** Reads a logout token (Back-Channel Logout 1.0 §2.6), for a whole person, since sessions (`sid`) are unknown here. */
export async function logoutToken(token: string, options: SignalTokenOptions): Promise<Signal> {
  const company = companyOf(token, options.companies);
  const payload = await verified(token, company, options, {
    typ: 'logout+jwt',
    audience: company.clients.map(({ client_id }) => client_id),
    oldest: OLDEST_LOGOUT_S,
    requiredClaims: ['exp'],
  });
  const { events, nonce, sub, sid } = payload;
  if (!isObject(events) || !isObject(events[LOGOUT_EVENT])) {
    throw new SignalRefusal('invalid_request', 'events does not say that it is a logout');
  }
  // An ID token with a nonce must not pass for a logout.
  if (nonce !== undefined) throw new SignalRefusal('invalid_request', 'a logout token has no nonce');
  if (sid !== undefined && typeof sid !== 'string') {
    throw new SignalRefusal('invalid_request', 'sid is no text');
  }
  if (typeof sub !== 'string' || sub === '') {
    throw new SignalRefusal('invalid_request', 'sub is needed: of sessions alone nobody is known here');
  }
  const about = { effect: 'ended', event: 'backchannel-logout', reason: '', subject: sub } as const;
  return signalOf(token, company, payload, about);
}

/** By the issuer claim, which the signature proves afterwards. */
function companyOf(token: string, companies: readonly Company[]): Company {
  let issuer: unknown;
  try {
    issuer = decodeJwt(token).iss;
  } catch {
    throw new SignalRefusal('invalid_request', 'it is no JWT');
  }
  const company = companies.find((one) => one.issuer === issuer);
  if (company === undefined) throw new SignalRefusal('invalid_issuer', 'the issuer is not one of those here');
  return company;
}

async function verified(
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
      throw new SignalRefusal('invalid_request', 'jti is no usable id');
    }
    const seconds = now() / 1000;
    if (typeof iat !== 'number' || iat > seconds + CLOCK_SKEW_SECONDS) {
      throw new SignalRefusal('invalid_request', 'iat lies ahead');
    }
    if (iat < seconds - oldest) throw new SignalRefusal('invalid_request', 'iat is too long ago');
    return { ...payload, jti, iat };
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof SignalRefusal) return error;
  // 503 is passed on, so that the sender retries; a key that the company does not have is the token's fault.
  if (error instanceof Refusal) {
    if (error.status === 503) return error;
    return new SignalRefusal('invalid_key', 'the issuer has no such key');
  }
  if (error instanceof joseErrors.JOSEAlgNotAllowed || error instanceof joseErrors.JOSENotSupported) {
    return new SignalRefusal('invalid_key', 'it is signed by an algorithm not accepted here');
  }
  if (error instanceof joseErrors.JWSSignatureVerificationFailed) {
    return new SignalRefusal('authentication_failed', 'the signature is wrong');
  }
  if (error instanceof joseErrors.JWTClaimValidationFailed && error.claim === 'aud') {
    return new SignalRefusal('invalid_audience', 'it is for another audience');
  }
  if (error instanceof joseErrors.JWTClaimValidationFailed || error instanceof joseErrors.JWTExpired) {
    return new SignalRefusal('invalid_request', `its claim ${error.claim} is not as it must be`);
  }
  if (error instanceof joseErrors.JOSEError)
    return new SignalRefusal('invalid_request', 'it is no signed JWT');
  return error;
}

function signalOf(
  token: string,
  company: Company,
  { jti, iat }: { readonly jti: string; readonly iat: number },
  about: Signal['about'],
): Signal {
  const digest = createHash('sha256').update(token).digest('base64url');
  return { company, jti, digest, issuedAt: iat, about };
}
