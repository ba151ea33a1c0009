import { decodeJwt } from 'jose';
import { genericGrantRequest } from 'openid-client';
import type { CompanySignIn, ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import {
  ID_JAG_TYPE,
  type ID_TOKEN_TYPE,
  JWT_BEARER_GRANT,
  type REFRESH_TOKEN_TYPE,
  TOKEN_EXCHANGE_GRANT,
} from '../../oauth/oauth-names.ts';
import { expiryTime } from '../provider/lifetime.ts';
import {
  loginClientConfiguration,
  type ProviderAccess,
  retryWithProviderTime,
  usesDpopBoundTokens,
} from '../provider/provider.ts';
import type { AccessToken } from '../session/access-token.ts';
import { createDpopHandle, type PrivateJwk } from '../session/dpop-key.ts';
import { DEFAULT_TOKEN_LIFETIME_S, grantedScopes } from '../session/token-refresh.ts';
import type { CompanyClientKey } from './client-key.ts';
import { toAssertionRejectedError, toTokenExchangeError } from './company-failure.ts';
import { signInProfile } from './sign-in-profile.ts';

export interface CompanyClientContext {
  readonly profile: ResolvedProfile;
  readonly company: CompanySignIn;
  readonly key: CompanyClientKey;
  readonly dpopKey: PrivateJwk;
  readonly access: ProviderAccess;
  readonly clock: Clock;
}

export interface CompanyToken {
  readonly type: typeof ID_TOKEN_TYPE | typeof REFRESH_TOKEN_TYPE;
  readonly token: string;
}

export interface HomeSignIn {
  readonly token: AccessToken;
  /**
   * The client ID that the home has given this program. The company supplies this ID, because the client has separate
   * registrations at the company and the home.
   */
  readonly clientId: string;
}

/**
 * Signs in to the home with the company's assertion (draft-ietf-oauth-identity-assertion-authz-grant): exchanges the
 * token from the company's sign-in for an assertion (RFC 8693), then redeems the assertion at the home (RFC 7523 §2.1)
 * with a DPoP proof signed with this machine's key.
 * @param scopes the requested scopes; fewer may be granted
 * @throws {TradeAgentError} `login_required` if the sign-in was too weak; `insufficient_scope` if the company or the
 * home denies access; `provider_error` and `provider_unreachable`, whose messages name the server
 */
export async function signInToHome(
  machine: CompanyClientContext,
  subject: CompanyToken,
  scopes: readonly string[],
): Promise<HomeSignIn> {
  const { profile, company } = machine;
  const home = { ...machine.access, privateKey: machine.key };
  // The assertion's audience must match the home's issuer exactly.
  const audience = (await loginClientConfiguration(profile, machine.access)).serverMetadata().issuer;
  const assertion = await requestAssertion(machine, subject, audience, scopes);
  const clientId = assertionClientId(assertion, company);
  let sentAt = machine.clock.now();
  const answer = await retryWithProviderTime(profile.issuer, async () => {
    const configuration = await loginClientConfiguration({ ...profile, login_client: { client_id: clientId } }, home);
    const DPoP = await createDpopHandle(configuration, machine.dpopKey);
    sentAt = machine.clock.now();
    const parameters = { assertion, scope: scopes.join(' ') };
    return await genericGrantRequest(configuration, JWT_BEARER_GRANT, parameters, { DPoP });
  }).catch((error: unknown) => {
    throw toAssertionRejectedError(error, profile, company);
  });
  const { sub } = decodeClaims(answer.access_token) ?? {};
  if (answer.token_type !== 'dpop' || sub === undefined) {
    throw new TradeAgentError('provider_error', `${profile.issuer} sent a token that can't be used`, {
      hint: `Check that ${profile.issuer} is the right home.`,
    });
  }
  return {
    clientId,
    token: {
      value: answer.access_token,
      type: 'dpop',
      scopes: grantedScopes(answer.access_token, answer.scope?.split(' ') ?? scopes),
      expiresAt: expiryTime(sentAt, answer.expires_in ?? DEFAULT_TOKEN_LIFETIME_S),
      sub,
    },
  };
}

async function requestAssertion(
  { profile, company, key, dpopKey, access }: CompanyClientContext,
  { type, token }: CompanyToken,
  audience: string,
  scopes: readonly string[],
): Promise<string> {
  const place = signInProfile(profile);
  const answer = await retryWithProviderTime(place.issuer, async () => {
    const configuration = await loginClientConfiguration(place, { ...access, privateKey: key });
    const bound = usesDpopBoundTokens(place, configuration.serverMetadata());
    return await genericGrantRequest(
      configuration,
      TOKEN_EXCHANGE_GRANT,
      {
        requested_token_type: ID_JAG_TYPE,
        subject_token: token,
        subject_token_type: type,
        audience,
        resource: profile.audience,
        scope: scopes.join(' '),
      },
      bound ? { DPoP: await createDpopHandle(configuration, dpopKey) } : {},
    );
  }).catch((error: unknown) => {
    throw toTokenExchangeError(error, profile, company);
  });
  if (answer.issued_token_type !== ID_JAG_TYPE) throw invalidAssertion(company);
  return answer.access_token;
}

function assertionClientId(assertion: string, company: CompanySignIn): string {
  const { client_id: named } = decodeClaims(assertion) ?? {};
  if (typeof named !== 'string' || named === '') throw invalidAssertion(company);
  return named;
}

/** Decodes a token's claims without verifying them. The token's recipient verifies the signature. */
function decodeClaims(token: string): Readonly<ReturnType<typeof decodeJwt>> | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

function invalidAssertion({ issuer }: CompanySignIn): TradeAgentError {
  return new TradeAgentError('provider_error', `${issuer} did not respond with an identity assertion`, {
    hint: 'Ask its operator whether it issues ID-JAGs (Cross App Access).',
  });
}
