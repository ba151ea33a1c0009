import { type JWTVerifyGetKey, errors as joseErrors, jwtVerify } from 'jose';
import { errors } from 'oidc-provider';
import { z } from 'zod';
import { SIGNING_ALGORITHMS } from '../../../gateway/door/token-rules.ts';
import { Refusal } from '../../../trading/refusal.ts';
import { CLOCK_TOLERANCE, isForAlone } from '../protocol/client-assertion.ts';
import { temporarilyUnavailable } from '../protocol/protocol.ts';
import type { Company } from './company.ts';

/** Seconds from `iat` to `exp` at most: it is fetched to be redeemed at once. */
const LONGEST_LIFE_S = 300;
/** Bytes of a token's groups, as JSON: it goes in a header with each request. */
const MOST_GROUPS = 4096;

const text = z.string().min(1).max(255);
const name = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/**
 * Who acts for the person (RFC 8693 §4.1), in the one form that is understood here: one actor, named by `sub` or `client_id`.
 * A chain of them, and anything else that is said of one, could mean a limit that nobody here would keep to.
 */
const actSchema = z
  .strictObject({ sub: name.optional(), client_id: name.optional(), iss: name.optional() })
  .refine(({ sub, client_id }) => sub !== undefined || client_id !== undefined);

/** Claims of the draft's §3.1, as they must be here. */
const claimsSchema = z.looseObject({
  iss: text,
  sub: text,
  jti: text,
  client_id: text,
  exp: z.number(),
  iat: z.number(),
  resource: text,
  scope: text.optional(),
  act: actSchema.optional(),
  /** A binding of another kind could not be checked. */
  cnf: z.strictObject({ jkt: text }).optional(),
  /** What is approved here is approved by its owner. */
  authorization_details: z.undefined().optional(),
});

const groupsSchema = z
  .array(z.string().min(1).max(100))
  .refine((groups) => JSON.stringify(groups).length <= MOST_GROUPS)
  .optional();

/** What a company's identity provider says: who it is about, for which client, and for what. */
export type IdentityAssertion = z.output<typeof claimsSchema> & {
  readonly groups: readonly string[] | undefined;
};

interface AssertionContext {
  readonly company: Company;
  readonly key: JWTVerifyGetKey;
  readonly issuer: string;
  readonly clientId: string;
  /** Thumbprint of the key of the request's DPoP proof. */
  readonly jkt: string;
  readonly now: number;
}

/**
 * Reads an ID-JAG and checks all that it alone can prove.
 * @throws `invalid_grant`, whose reason is for the home's log alone; 503 `temporarily_unavailable`
 */
export async function readAssertion(
  assertion: string,
  context: AssertionContext,
): Promise<IdentityAssertion> {
  const { company, clientId, jkt } = context;
  const payload = await verified(assertion, context);
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) throw fault(`${parsed.error.issues[0]?.path.join('.')} is not as it must be`);
  const claims = parsed.data;
  const seconds = context.now / 1000;
  if (!isForAlone(claims.aud, context.issuer)) throw fault('aud must be the issuer of this home alone');
  if (claims.client_id !== clientId) throw fault('client_id is another client than the one that came');
  if (claims.iat > seconds + CLOCK_TOLERANCE) throw fault('iat lies ahead');
  if (claims.exp - claims.iat > LONGEST_LIFE_S) throw fault(`it lives longer than ${LONGEST_LIFE_S} s`);
  if (claims.cnf !== undefined && claims.cnf.jkt !== jkt)
    throw fault('it is bound to another key than the proof’s');
  const groups = company.groups ? groupsSchema.safeParse(claims.groups) : undefined;
  if (groups?.success === false) throw fault('groups is not as it must be');
  return { ...claims, groups: groups?.data };
}

async function verified(assertion: string, { company, key, now }: AssertionContext): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(assertion, key, {
      typ: 'oauth-id-jag+jwt',
      issuer: company.issuer,
      algorithms: [...SIGNING_ALGORITHMS],
      requiredClaims: ['sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
      clockTolerance: CLOCK_TOLERANCE,
      currentDate: new Date(now),
    });
    return payload;
  } catch (error) {
    // The library's messages name claims, never their values.
    if (error instanceof joseErrors.JOSEError) throw fault(error.message);
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 503)
      throw temporarilyUnavailable('the company’s identity provider gives no usable answer');
    throw fault('it is signed by a key that the issuer does not have');
  }
}

/** The library tells the client `invalid_grant`, and nothing of why. */
export function fault(reason: string): Error {
  return new errors.InvalidGrant(reason);
}
