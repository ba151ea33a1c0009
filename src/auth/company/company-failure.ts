import type { CompanySignIn, ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { loginHint } from '../../errors/login-required.ts';
import { classifyProviderFailure, type ProviderFailure, toProviderError } from '../provider/provider-failure.ts';

/** Returns the company's host name for display. A display name is not used, because the company can choose any name. */
export function companyHost({ issuer }: Pick<CompanySignIn, 'issuer'>): string {
  return new URL(issuer).host;
}

export function companyAccessEndedError(company: CompanySignIn): TradeAgentError {
  return new TradeAgentError('login_required', `${companyHost(company)} has ended your sign-in`, {
    hint: `If you are still a member there: ${loginHint()}`,
  });
}

export function toTokenExchangeError(
  error: unknown,
  profile: ResolvedProfile,
  company: CompanySignIn,
): TradeAgentError {
  const failure = classifyProviderFailure(error);
  const name = companyHost(company);
  const refused = oauthError(failure);
  switch (refused) {
    case 'insufficient_user_authentication':
      return new TradeAgentError('login_required', `${name} requires a stronger sign-in for ${profile.gateway}`, {
        hint: 'Run "trade-agent login", and sign in with a second factor.',
        details: { error: refused },
      });
    case 'invalid_client':
      return unknownCompanyClientError(company);
    case 'access_denied':
    case 'invalid_grant':
    case 'invalid_scope':
    case 'invalid_target':
    case 'unauthorized_client':
      return new TradeAgentError(
        'insufficient_scope',
        `${name} does not let trade-agent act for you at ${profile.issuer} (${refused})`,
        {
          hint: `Ask the operator of ${name} to allow it: client ${company.client_id}, audience ${profile.issuer}, resource ${profile.audience}, for one of your groups.`,
          details: { error: refused },
        },
      );
    default:
      return toProviderError(failure, `${name} did not authorize the sign-in`, company.issuer);
  }
}

export function toAssertionRejectedError(
  error: unknown,
  profile: ResolvedProfile,
  company: CompanySignIn,
): TradeAgentError {
  const failure = classifyProviderFailure(error);
  const refused = oauthError(failure);
  const what = `${profile.issuer} did not accept the identity assertion from ${companyHost(company)} (${refused})`;
  switch (refused) {
    case 'invalid_client':
    case 'unauthorized_client':
    case 'unsupported_grant_type':
      return new TradeAgentError('provider_error', `${profile.issuer} does not know this machine's key`, {
        hint: `Ask its operator to add the lines that "${showKeyCommand(company)}" prints to home.yaml.`,
        details: { error: refused },
      });
    case 'invalid_grant':
      return new TradeAgentError('insufficient_scope', what, {
        hint: `Ask its operator to list ${company.issuer} under "companies" in home.yaml, and you under that company's "people". The home's log has the reason.`,
        details: { error: refused },
      });
    case 'invalid_scope':
    case 'invalid_target':
      return new TradeAgentError('insufficient_scope', what, {
        hint: `Ask its operator: "scopes" in home.yaml sets what people from ${company.issuer} may do.`,
        details: { error: refused },
      });
    default:
      return toProviderError(failure, 'the home did not sign you in', profile.issuer);
  }
}

export function unknownCompanyClientError(company: CompanySignIn): TradeAgentError {
  return new TradeAgentError('provider_error', `${companyHost(company)} does not know this machine's key`, {
    hint: `Ask its operator to register the key that "${showKeyCommand(company)}" prints, for the client ${company.client_id}.`,
    details: { error: 'invalid_client' },
  });
}

export function companyScopeMissingError(company: CompanySignIn, scopes: readonly string[]): TradeAgentError {
  return new TradeAgentError('insufficient_scope', `${companyHost(company)} does not grant you ${scopes.join(', ')}`, {
    hint: 'Some actions need a sign-in at the home itself, in a separate profile without "company".',
    details: { scopes: [...scopes], sent: false },
  });
}

function oauthError(failure: ProviderFailure): string | undefined {
  return failure.kind === 'oauth' ? failure.error : undefined;
}

function showKeyCommand({ issuer, client_id }: CompanySignIn): string {
  return `trade-agent login --company ${issuer} --client-id ${client_id} --show-key`;
}
