import { isSecureUrl } from '../../net/secure-url.ts';
import { TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import { IDENTITY_SCOPES } from '../../oauth/scopes.ts';
import type { ProviderDialect } from './dialect.ts';

/** A provider that follows the standards: discovery, RFC 8707, RFC 9396, RFC 8693, CIBA Core. */
export const standardDialect: ProviderDialect = {
  label: 'a standard provider',
  recognizes: () => true,
  complete: (metadata) => metadata,
  identityScopes: IDENTITY_SCOPES,
  // RFC 8707's `resource` must be a URI. The older `audience` parameter takes any name.
  audience: (audience) => (URL.canParse(audience) ? { resource: audience } : { audience }),
  loginHint: ({ sub }) => sub,
  bindingMessage: (message) => message,
  maxApprovalTtl: 86_400,
  details: 'announced',
  exchangeGrantType: TOKEN_EXCHANGE_GRANT,
  onBehalf: {
    namesAudience: true,
    grantsOffline: true,
    setup:
      'Allow token exchange (RFC 8693) for the server’s client (private_key_jwt, DPoP), from its own audience to the gateway’s.',
  },
  revokesAccessTokens: true,
  connectedAccounts: ({ connected_accounts_endpoint: endpoint }) =>
    typeof endpoint === 'string' && isSecureUrl(endpoint)
      ? { endpoint, audience: { resource: endpoint }, requestedAtSignIn: true, finish: 'provider' }
      : undefined,
  setup: {
    device: 'Turn on the device authorization grant (RFC 8628), and allow it for the login client.',
    ciba: 'Turn on CIBA, and allow its grant for the gateway’s client (private_key_jwt).',
    details:
      'Add the details type to the provider’s supported types (RFC 9396), and put approved details into the access token.',
    dpop: 'Turn on DPoP (RFC 9449) with ES256: without it a stolen token works anywhere.',
    token_exchange: 'Allow token exchange (RFC 8693) for the gateway’s client.',
  },
};
