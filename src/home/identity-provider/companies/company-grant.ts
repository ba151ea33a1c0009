import { type JWTVerifyGetKey, errors as joseErrors, jwtVerify } from 'jose';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { buildTokenResponse, checkDpopReplay, validateDpop } from 'oidc-provider/lib/helpers/grants.js';
import { z } from 'zod';
import { SIGNING_ALGORITHMS } from '../../../gateway/door/token-rules.ts';
import { MCP_SCOPES } from '../../../oauth/scopes.ts';
import type { People } from '../../../store/home/people.ts';
import type { RedeemedAssertions } from '../../../store/home/redeemed-assertions.ts';
import { printableAscii } from '../../../text/unseen.ts';
import { Refusal } from '../../../trading/refusal.ts';
import { defined } from '../../../values/defined.ts';
import { CLOCK_TOLERANCE, isForAlone } from '../protocol/client-assertion.ts';
import { isIn, mcpResource, signedFor, temporarilyUnavailable } from '../protocol/protocol.ts';
import { COMPANY_TOKEN_S, type Company, companyOf, memberClaims } from './company.ts';

/** A proposal has 80 characters for who asked. */
const LONGEST_NAME = 60;

/** RFC 7523 §2.1 and RFC 8707; the others are read to be refused. */
export const companyGrantParameters = ['assertion', 'scope', 'resource', 'authorization_details'] as const;

type Context = TokenEndpointGrantContext<{
  [parameter in (typeof companyGrantParameters)[number]]?: string | undefined;
}>;

interface CompanyGrantOptions {
  readonly issuer: string;
  readonly resource: string;
  readonly companies: readonly Company[];
  readonly people: Pick<People, 'find'>;
  readonly redeemed: RedeemedAssertions;
  readonly companyKeyOf: (company: Company) => JWTVerifyGetKey;
  readonly standing: {
    /** Why an assertion made at a time (seconds since the epoch) counts no more: `signals/` knows. */
    refusal(issuer: string, subject: string, issuedAt: number): 'revoked' | 'disabled' | undefined;
  };
  readonly now: () => number;
  /** Told why one was refused; never holds any of it. */
  readonly onRefused: (reason: string) => void;
}

/**
 * RFC 7523 §2.1 with an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant §4.4): a company's client shows what its own
 * identity provider signed about one of its people, and is given a token for the gateway, or its MCP endpoint. What could go
 * wrong, and what is in its way:
 *
 *  1. Whoever finds an assertion can't redeem it: a client comes by its own key (the library has seen to that), it is told only
 *     what its own company's issuer says, and only what that said for it by name (`client_id`).
 *  2. What was said to another server is worth nothing here: `aud` is this home alone, `resource` what the token will be for.
 *  3. A company speaks for those whom the home's owner listed as its people, and for no one else.
 *  4. Nothing gets wider: the scopes are those that were asked for, that the company's issuer granted, and that the owner lets
 *     this company have, all at once, and among what any program may have at most. What places an order is not among it.
 *  5. An assertion is redeemed once. That is written down last, when nothing else stands against it: one that was refused for
 *     another reason may come again, and of two that come at once one is given a token.
 *  6. What the company has taken back since (`signals/`) counts no more: that is asked before anything is issued, and once more
 *     after it, since whoever takes it back ends only what is there by then.
 *  7. A stolen token is worth nothing, as it is bound to a key; a leaver's ends soon, since none can be renewed but by asking
 *     the company again.
 */
export function createCompanyGrant(options: CompanyGrantOptions) {
  const redeem = async (ctx: Context): Promise<void> => {
    const { provider, client, params } = ctx.oidc;
    const company = companyOf(options.companies, client.clientId);
    if (company === undefined) {
      throw new errors.UnauthorizedClient('only a company’s client may redeem what its issuer says');
    }
    if (!params.assertion) throw new errors.InvalidRequest('assertion is missing');
    const proof = await validateDpop(provider, ctx);
    if (proof === undefined) throw new errors.InvalidDpopProof('a DPoP proof is required');
    const assertion = await readAssertion(params.assertion, {
      company,
      key: options.companyKeyOf(company),
      issuer: options.issuer,
      clientId: client.clientId,
      jkt: proof.thumbprint,
      now: options.now(),
    });
    const resource = requireResource(assertion, params.resource, options.resource);
    const scope = grantedScope(assertion, params.scope, company);
    const accountId = personOf(assertion, company);
    requireNotTakenBack(assertion);
    await checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidDpopProof);
    if (!options.redeemed.take(assertion)) throw fault('it was redeemed before');

    const grant = new provider.Grant({ clientId: client.clientId, accountId });
    grant.addResourceScope(resource, scope);
    const token = new provider.AccessToken({
      client,
      accountId,
      grantId: await grant.save(),
      gty: 'jwt_bearer',
      scope,
      expiresIn: COMPANY_TOKEN_S,
      resourceServer: new provider.ResourceServer(resource, signedFor(resource, MCP_SCOPES)),
    });
    token.setThumbprint('jkt', proof.thumbprint);
    const { groups, act } = assertion;
    memberClaims.set(token, {
      client_name: printableAscii(client.clientName ?? client.clientId, LONGEST_NAME),
      org: company.organization,
      company: company.issuer,
      ...defined({ groups, act }),
    });
    ctx.oidc.entity('AccessToken', token);
    const accessToken = await token.save();
    try {
      requireNotTakenBack(assertion);
    } catch (error) {
      await grant.destroy();
      throw error;
    }
    ctx.body = buildTokenResponse(provider, {
      accessToken,
      tokenType: token.tokenType,
      expiresIn: token.expiration,
      scope,
    });
  };
  return async (ctx: Context): Promise<void> => {
    try {
      await redeem(ctx);
    } catch (error) {
      if (error instanceof errors.OIDCProviderError) {
        const { error_detail: detail, error_description: description = error.message } = error;
        options.onRefused(
          `${ctx.oidc.client.clientId}: an identity assertion was refused: ${detail ?? description}`,
        );
      }
      throw error;
    }
  };

  function personOf({ sub }: IdentityAssertion, { people }: Company): string {
    const username = Object.hasOwn(people, sub) ? people[sub] : undefined;
    if (username === undefined) throw fault('sub is nobody of this company who is known here');
    if (options.people.find(username) === undefined) throw fault('whom sub stands for is not here any more');
    return username;
  }

  function requireNotTakenBack({ iss, sub, iat }: IdentityAssertion): void {
    const refusal = options.standing.refusal(iss, sub, iat);
    if (refusal === 'disabled') throw fault('the company has disabled the account of sub');
    if (refusal === 'revoked') throw fault('the company has ended the sign-ins of sub since');
  }
}

function requireResource(
  { resource }: IdentityAssertion,
  asked: string | undefined,
  gateway: string,
): string {
  if (![gateway, mcpResource(gateway)].includes(resource))
    throw fault('resource is not the gateway, nor its MCP endpoint');
  if (asked !== undefined && asked !== resource) {
    throw new errors.InvalidTarget('the identity assertion is for another resource');
  }
  return resource;
}

function grantedScope(
  { scope = '' }: IdentityAssertion,
  asked: string | undefined,
  company: Company,
): string {
  const wanted = asked?.split(' ');
  const granted = scope
    .split(' ')
    .filter(
      (one) => isIn(MCP_SCOPES, one) && company.scopes.includes(one) && (wanted?.includes(one) ?? true),
    );
  if (granted.length === 0) throw new errors.InvalidScope('none of the scopes may be had by it', scope);
  return [...new Set(granted)].join(' ');
}

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
type IdentityAssertion = z.output<typeof claimsSchema> & {
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
async function readAssertion(assertion: string, context: AssertionContext): Promise<IdentityAssertion> {
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
function fault(reason: string): Error {
  return new errors.InvalidGrant(reason);
}
