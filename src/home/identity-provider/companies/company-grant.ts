import { type JWTVerifyGetKey, errors as joseErrors, jwtVerify } from 'jose';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { buildTokenResponse, checkDpopReplay, validateDpop } from 'oidc-provider/lib/helpers/grants.js';
import { z } from 'zod';
import { SIGNING_ALGORITHMS } from '../../../gateway/auth/token-rules.ts';
import { MCP_SCOPES } from '../../../oauth/scopes.ts';
import type { PeopleStore } from '../../../store/home/people.ts';
import type { RedeemedAssertionStore } from '../../../store/home/redeemed-assertions.ts';
import { printableAscii } from '../../../text/invisible.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { defined } from '../../../values/defined.ts';
import { CLOCK_TOLERANCE_S, isOnlyAudience } from '../protocol/client-assertion.ts';
import { isOneOf, jwtResourceServer, mcpResource, temporarilyUnavailableError } from '../protocol/protocol.ts';
import { COMPANY_TOKEN_LIFETIME_S, type Company, findCompany, memberClaimsByToken } from './company.ts';

/** Maximum length of a client's name in characters, well within a proposal's 80 characters for a requester's name. */
const MAX_NAME_LENGTH = 60;

/** Parameters of RFC 7523 §2.1 and RFC 8707, and `authorization_details`, whose presence causes a rejection. */
export const companyGrantParameters = ['assertion', 'scope', 'resource', 'authorization_details'] as const;

type Context = TokenEndpointGrantContext<{
  [parameter in (typeof companyGrantParameters)[number]]?: string | undefined;
}>;

interface CompanyGrantOptions {
  readonly issuer: string;
  readonly resource: string;
  readonly companies: readonly Company[];
  readonly people: Pick<PeopleStore, 'find'>;
  readonly redeemed: RedeemedAssertionStore;
  readonly companyKeyOf: (company: Company) => JWTVerifyGetKey;
  readonly revocations: {
    /** Returns why a security event has invalidated an assertion issued at `issuedAt` (seconds since the epoch). */
    refusal(issuer: string, subject: string, issuedAt: number): Promise<'revoked' | 'disabled' | undefined>;
  };
  readonly now: () => number;
  /** Called with the reason for each rejection. The reason never quotes the assertion. */
  readonly onRefused: (reason: string) => void;
}

/**
 * Implements RFC 7523 §2.1 with an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant §4.4): a company's client
 * presents an assertion that the company's identity provider signed about a person, and gets a token for the gateway or
 * its MCP endpoint. Threats and defenses:
 *
 * 1. A stolen assertion can't be redeemed: the library has authenticated the client by its key, and the assertion must
 *    come from the issuer of that client's company and name that client (`client_id`).
 * 2. An assertion for another server is rejected: `aud` must be only this home, and `resource` the token's resource.
 * 3. A company can only vouch for the people whom the home's owner listed for it. Any other `sub` is rejected.
 * 4. Access never widens: each scope must be requested, granted by the company's issuer, allowed for this company by
 *    the owner, and allowed for clients in general, which never includes scopes that place orders.
 * 5. An assertion is redeemed once. Its use is recorded last, after all other checks: an assertion rejected for another
 *    reason may be presented again, and of two concurrent requests only one gets a token.
 * 6. Access that the company has since revoked (`signals/`) is refused. This is checked before issuing, and again
 *    afterwards, because a revocation only ends the grants that exist by then.
 * 7. A stolen token is useless because it is bound to a key. The token of a person who left expires soon, because
 *    renewing it requires asking the company again.
 */
export function createCompanyGrant(options: CompanyGrantOptions) {
  const redeem = async (ctx: Context): Promise<void> => {
    const { provider, client, params } = ctx.oidc;
    const company = findCompany(options.companies, client.clientId);
    if (company === undefined) {
      throw new errors.UnauthorizedClient('only a company’s client may redeem its issuer’s assertions');
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
    const accountId = await personOf(assertion, company);
    await requireNotTakenBack(assertion);
    await checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidDpopProof);
    if (!(await options.redeemed.redeem(assertion))) throw rejectedAssertion('it was already redeemed');

    const grant = new provider.Grant({ clientId: client.clientId, accountId });
    grant.addResourceScope(resource, scope);
    const token = new provider.AccessToken({
      client,
      accountId,
      grantId: await grant.save(),
      gty: 'jwt_bearer',
      scope,
      expiresIn: COMPANY_TOKEN_LIFETIME_S,
      resourceServer: new provider.ResourceServer(resource, jwtResourceServer(resource, MCP_SCOPES)),
    });
    token.setThumbprint('jkt', proof.thumbprint);
    const { groups, act } = assertion;
    memberClaimsByToken.set(token, {
      client_name: printableAscii(client.clientName ?? client.clientId, MAX_NAME_LENGTH),
      org: company.organization,
      company: company.issuer,
      ...defined({ groups, act }),
    });
    ctx.oidc.entity('AccessToken', token);
    const accessToken = await token.save();
    try {
      await requireNotTakenBack(assertion);
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
        options.onRefused(`${ctx.oidc.client.clientId}: an identity assertion was rejected: ${detail ?? description}`);
      }
      throw error;
    }
  };

  async function personOf({ sub }: IdentityAssertion, { people }: Company): Promise<string> {
    const username = Object.hasOwn(people, sub) ? people[sub] : undefined;
    if (username === undefined) throw rejectedAssertion('sub is not listed among this company’s people');
    if ((await options.people.find(username)) === undefined) {
      throw rejectedAssertion('the user for this sub no longer exists');
    }
    return username;
  }

  async function requireNotTakenBack({ iss, sub, iat }: IdentityAssertion): Promise<void> {
    const refusal = await options.revocations.refusal(iss, sub, iat);
    if (refusal === 'disabled') throw rejectedAssertion('the company has disabled this person’s account');
    if (refusal === 'revoked') throw rejectedAssertion('the company has ended this person’s sign-ins since then');
  }
}

function requireResource({ resource }: IdentityAssertion, asked: string | undefined, gateway: string): string {
  if (![gateway, mcpResource(gateway)].includes(resource))
    throw rejectedAssertion('resource is neither the gateway nor its MCP endpoint');
  if (asked !== undefined && asked !== resource) {
    throw new errors.InvalidTarget('the identity assertion is for another resource');
  }
  return resource;
}

function grantedScope({ scope = '' }: IdentityAssertion, asked: string | undefined, company: Company): string {
  const wanted = asked?.split(' ');
  const granted = scope
    .split(' ')
    .filter((one) => isOneOf(MCP_SCOPES, one) && company.scopes.includes(one) && (wanted?.includes(one) ?? true));
  if (granted.length === 0)
    throw new errors.InvalidScope('none of the scopes can be granted for this assertion', scope);
  return [...new Set(granted)].join(' ');
}

/** Maximum seconds from `iat` to `exp`. Clients redeem an assertion immediately after fetching it. */
const MAX_LIFETIME_S = 300;
/** Maximum size of a token's groups as JSON, in bytes. The token is sent in a header with each request. */
const MAX_GROUPS_BYTES = 4096;

const textSchema = z.string().min(1).max(255);
const nameSchema = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/**
 * The actor (RFC 8693 §4.1). Only one form is supported: a single actor with `sub` or `client_id`. A chain of actors or
 * any other member is rejected, because it could express a limit that we would ignore.
 */
const actSchema = z
  .strictObject({ sub: nameSchema.optional(), client_id: nameSchema.optional(), iss: nameSchema.optional() })
  .refine(({ sub, client_id }) => sub !== undefined || client_id !== undefined);

/** Claims of an ID-JAG (§3.1 of the draft), with this home's constraints. */
const claimsSchema = z.looseObject({
  iss: textSchema,
  sub: textSchema,
  jti: textSchema,
  client_id: textSchema,
  exp: z.number(),
  iat: z.number(),
  resource: textSchema,
  scope: textSchema.optional(),
  act: actSchema.optional(),
  /** Binds the token to a key's thumbprint. Other kinds of binding are rejected, because they can't be verified. */
  cnf: z.strictObject({ jkt: textSchema }).optional(),
  /** Must be absent, because only the owner can give an approval here. */
  authorization_details: z.undefined().optional(),
});

const groupsSchema = z
  .array(z.string().min(1).max(100))
  .refine((groups) => JSON.stringify(groups).length <= MAX_GROUPS_BYTES)
  .optional();

/** A company's verified assertion: its person, its client and the granted access. */
type IdentityAssertion = z.output<typeof claimsSchema> & {
  readonly groups: readonly string[] | undefined;
};

interface AssertionContext {
  readonly company: Company;
  readonly key: JWTVerifyGetKey;
  readonly issuer: string;
  readonly clientId: string;
  /** Thumbprint of the key that signed the request's DPoP proof. */
  readonly jkt: string;
  readonly now: number;
}

/**
 * Parses an ID-JAG and checks everything that the assertion alone can prove.
 * @throws `invalid_grant`, whose reason is only for the home's log; 503 `temporarily_unavailable`
 */
async function readAssertion(assertion: string, context: AssertionContext): Promise<IdentityAssertion> {
  const { company, clientId, jkt } = context;
  const payload = await verifyAssertion(assertion, context);
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) throw rejectedAssertion(`${parsed.error.issues[0]?.path.join('.')} is invalid`);
  const claims = parsed.data;
  const seconds = context.now / 1000;
  if (!isOnlyAudience(claims.aud, context.issuer)) throw rejectedAssertion('aud must be only this home’s issuer');
  if (claims.client_id !== clientId) throw rejectedAssertion('client_id does not match the authenticated client');
  if (claims.iat > seconds + CLOCK_TOLERANCE_S) throw rejectedAssertion('iat is in the future');
  if (claims.exp - claims.iat > MAX_LIFETIME_S) throw rejectedAssertion(`its lifetime exceeds ${MAX_LIFETIME_S} s`);
  if (claims.cnf !== undefined && claims.cnf.jkt !== jkt)
    throw rejectedAssertion('it is bound to a different key than the proof’s');
  const groups = company.groups ? groupsSchema.safeParse(claims.groups) : undefined;
  if (groups?.success === false) throw rejectedAssertion('groups is invalid');
  return { ...claims, groups: groups?.data };
}

async function verifyAssertion(assertion: string, { company, key, now }: AssertionContext): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(assertion, key, {
      typ: 'oauth-id-jag+jwt',
      issuer: company.issuer,
      algorithms: [...SIGNING_ALGORITHMS],
      requiredClaims: ['sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now),
    });
    return payload;
  } catch (error) {
    // The library's messages contain names of claims but never their values.
    if (error instanceof joseErrors.JOSEError) throw rejectedAssertion(error.message);
    if (!(error instanceof HttpProblem)) throw error;
    if (error.status === 503)
      throw temporarilyUnavailableError('the company’s identity provider gave no usable response');
    throw rejectedAssertion('it is signed by a key that the issuer does not have');
  }
}

/** Returns the error for a rejected assertion. The library tells the client only `invalid_grant`, not the reason. */
function rejectedAssertion(reason: string): Error {
  return new errors.InvalidGrant(reason);
}
