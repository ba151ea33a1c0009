import type { CompanySignIn, ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { loginHint } from '../../errors/login-required.ts';
import { type ProviderFailure, providerError, providerFailure } from '../provider/provider-failure.ts';

/** What a company is called here: by its address, since what it calls itself proves nothing. */
export function companyName({ issuer }: Pick<CompanySignIn, 'issuer'>): string {
  return new URL(issuer).host;
}

export function noLongerLetIn(company: CompanySignIn): TradeAgentError {
  return new TradeAgentError(
    'login_required',
    `${companyName(company)} no longer lets you in: your sign-in there has ended`,
    { hint: `If you still belong there: ${loginHint()}` },
  );
}

export function exchangeError(
  error: unknown,
  profile: ResolvedProfile,
  company: CompanySignIn,
): TradeAgentError {
  const failure = providerFailure(error);
  const name = companyName(company);
  const refused = oauthError(failure);
  switch (refused) {
    case 'insufficient_user_authentication':
      return new TradeAgentError(
        'login_required',
        `${name} wants a stronger sign-in for ${profile.gateway}`,
        {
          hint: 'Run "trade-agent login", and sign in there with a second factor.',
          details: { error: refused },
        },
      );
    case 'invalid_client':
      return unknownAtCompany(company);
    case 'access_denied':
    case 'invalid_grant':
    case 'invalid_scope':
    case 'invalid_target':
    case 'unauthorized_client':
      return new TradeAgentError(
        'insufficient_scope',
        `${name} does not let trade-agent act for you at ${profile.issuer} (${refused})`,
        {
          hint: `Whoever runs ${name} must allow it: client ${company.client_id}, audience ${profile.issuer}, resource ${profile.audience}, for a group of yours.`,
          details: { error: refused },
        },
      );
    default:
      return providerError(failure, `${name} gave no leave to come in`, company.issuer);
  }
}

export function redemptionError(
  error: unknown,
  profile: ResolvedProfile,
  company: CompanySignIn,
): TradeAgentError {
  const failure = providerFailure(error);
  const refused = oauthError(failure);
  const what = `${profile.issuer} does not take what ${companyName(company)} says of you (${refused})`;
  switch (refused) {
    case 'invalid_client':
    case 'unauthorized_client':
    case 'unsupported_grant_type':
      return new TradeAgentError('provider_error', `${profile.issuer} does not know this machine's key`, {
        hint: `Whoever runs it must add lines to its home.yaml: "${showKey(company)}" prints them.`,
        details: { error: refused },
      });
    case 'invalid_grant':
      return new TradeAgentError('insufficient_scope', what, {
        hint: `Whoever runs it must list ${company.issuer} under "companies", and you under its "people"; its log says what was wrong.`,
        details: { error: refused },
      });
    case 'invalid_scope':
    case 'invalid_target':
      return new TradeAgentError('insufficient_scope', what, {
        hint: `Whoever runs it says in home.yaml what people of ${company.issuer} may do ("scopes").`,
        details: { error: refused },
      });
    default:
      return providerError(failure, 'the home did not let you in', profile.issuer);
  }
}

export function unknownAtCompany(company: CompanySignIn): TradeAgentError {
  return new TradeAgentError('provider_error', `${companyName(company)} does not know this machine's key`, {
    hint: `Whoever runs it must enter it for the client ${company.client_id}: "${showKey(company)}" prints it.`,
    details: { error: 'invalid_client' },
  });
}

export function notByCompany(company: CompanySignIn, scopes: readonly string[]): TradeAgentError {
  return new TradeAgentError(
    'insufficient_scope',
    `${companyName(company)} lets you have no ${scopes.join(', ')}`,
    {
      hint: 'Some things need a sign-in at the home itself, in a profile of its own without "company".',
      details: { scopes: [...scopes], sent: false },
    },
  );
}

function oauthError(failure: ProviderFailure): string | undefined {
  return failure.kind === 'oauth' ? failure.error : undefined;
}

function showKey({ issuer, client_id }: CompanySignIn): string {
  return `trade-agent login --company ${issuer} --client-id ${client_id} --show-key`;
}
