import type { JWTVerifyGetKey } from 'jose';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { buildTokenResponse, checkDpopReplay, validateDpop } from 'oidc-provider/lib/helpers/grants.js';
import { MCP_SCOPES } from '../../../oauth/scopes.ts';
import type { People } from '../../../store/home/people.ts';
import type { RedeemedAssertions } from '../../../store/home/redeemed-assertions.ts';
import { printableAscii } from '../../../text/unseen.ts';
import { defined } from '../../../values/defined.ts';
import { isIn, mcpResource, signedFor } from '../protocol/protocol.ts';
import { COMPANY_TOKEN_S, type Company, companyOf, memberClaims } from './company.ts';
import { fault, type IdentityAssertion, readAssertion } from './identity-assertion.ts';

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
