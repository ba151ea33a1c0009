import { randomUUID } from 'node:crypto';
import { importJWK, type JWK, SignJWT } from 'jose';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { checkDpopReplay, validateDpop } from 'oidc-provider/lib/helpers/grants.js';
import type { ExchangeParameters } from '../../home/identity-provider/protocol/protocol.ts';
import { ID_JAG_TYPE } from '../../oauth/oauth-names.ts';
import { defined } from '../../values/defined.ts';
import type { CompanyPeople, CompanyPerson } from './people.ts';
import { applyCompanyRules, type CompanyRule } from './rules.ts';
import { type SubjectOptions, type TokenSubject, verifySubjectToken } from './subject.ts';

const ASSERTION_LIFETIME_S = 300;
/**
 * The assertion's `typ` header (RFC 7519 §5.1), as in the ID-JAG draft (identity assertion JWT authorization grant).
 */
const ASSERTION_TYP = 'oauth-id-jag+jwt';

interface AssertionExchangeOptions extends SubjectOptions {
  readonly people: Pick<CompanyPeople, 'find'>;
  readonly rules: readonly CompanyRule[];
  readonly signingKey: () => JWK;
}

/**
 * Returns a handler for RFC 8693 exchanges that issue an assertion. The handler checks the company's rules at every
 * exchange, so people who left the company or a group get no assertion.
 */
export function createAssertionExchangeHandler(options: AssertionExchangeOptions) {
  return async (ctx: TokenEndpointGrantContext<ExchangeParameters>): Promise<void> => {
    const { provider, client, params } = ctx.oidc;
    const audience = checkedAudience(params);
    const proof = await validateDpop(provider, ctx);
    const subject = await verifySubjectToken(ctx, options);
    const person = options.people.find(subject.sub);
    if (person === undefined) throw new errors.InvalidGrant('the person has left the company');
    const ruling = applyCompanyRules(options.rules, {
      clientId: client.clientId,
      audience,
      resource: params.resource,
      scopes: params.scope?.split(' ').filter(Boolean),
      groups: person.groups,
      acr: subject.acr,
    });
    if ('error' in ruling) throw new errors.CustomOIDCProviderError(ruling.error, ruling.reason);
    if (proof !== undefined) {
      await checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidDpopProof);
    }

    const scope = ruling.scopes.join(' ');
    ctx.body = {
      access_token: await signAssertion(options, {
        ...personClaims(person, subject),
        aud: audience,
        client_id: ruling.rule.client_id_there ?? client.clientId,
        scope,
        ...defined({ resource: params.resource, act: ruling.rule.actor }),
        ...(proof === undefined ? {} : { cnf: { jkt: proof.thumbprint } }),
      }),
      issued_token_type: ID_JAG_TYPE,
      token_type: 'N_A',
      expires_in: ASSERTION_LIFETIME_S,
      scope,
    };
  };
}

function checkedAudience(params: ExchangeParameters): string {
  if (params.requested_token_type !== ID_JAG_TYPE) {
    throw new errors.InvalidRequest(`requested_token_type must be ${ID_JAG_TYPE}`);
  }
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw new errors.InvalidRequest('actor_token is not supported');
  }
  if (params.audience === undefined) throw new errors.InvalidRequest('audience is missing');
  return params.audience;
}

function personClaims({ sub, email, groups }: CompanyPerson, { authTime, acr, amr }: TokenSubject) {
  return { sub, email, groups, ...defined({ auth_time: authTime, acr, amr }) };
}

async function signAssertion(
  { issuer, now, signingKey }: Pick<AssertionExchangeOptions, 'issuer' | 'now' | 'signingKey'>,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const key = signingKey();
  const seconds = Math.floor(now() / 1000);
  return await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: ASSERTION_TYP, ...defined({ kid: key.kid }) })
    .setIssuer(issuer)
    .setJti(randomUUID())
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + ASSERTION_LIFETIME_S)
    .sign(await importJWK(key, 'ES256'));
}
