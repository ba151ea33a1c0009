import { Hono } from 'hono';
import type { Party } from './authorization-request.ts';
import { authorizeRoutes } from './authorize-routes.ts';
import { createLogin, type User } from './login.ts';
import type { OAuthClient } from './oauth-client.ts';
import { tokenRoutes } from './token-routes.ts';
import type { TokenStore } from './token-store.ts';

export interface OAuthOptions {
  /** The broker's base URL. */
  url: string;
  tokens: TokenStore;
  clients: readonly OAuthClient[];
  users: readonly User[];
  now: () => number;
  /** Whose server it is; the paper broker's unless said otherwise. */
  party?: Party;
}

const broker: Party = { label: 'Paper broker', scopes: ['account:write', 'trading'] };

/**
 * A third party's own OAuth 2.0 server: authorization code with PKCE S256 (RFC 6749, 7636, 9700), refresh with rotation,
 * revocation (RFC 7009). The login form carries user name and password in every answer and sets no cookie, so there
 * is nothing a foreign page could ride on.
 */
export function oauthRoutes({ url, tokens, clients, users, now, party = broker }: OAuthOptions): Hono {
  const app = new Hono();

  app.use('/oauth/*', async (context, next) => {
    context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
    context.header('Referrer-Policy', 'no-referrer');
    return next();
  });

  // RFC 8414
  app.get('/.well-known/oauth-authorization-server', (context) =>
    context.json({
      issuer: url,
      authorization_endpoint: `${url}/oauth/authorize`,
      token_endpoint: `${url}/oauth/token`,
      revocation_endpoint: `${url}/oauth/revoke`,
      scopes_supported: [...party.scopes],
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      code_challenge_methods_supported: ['S256'],
    }),
  );

  app.route('/', authorizeRoutes({ party, clients, login: createLogin(users, now), tokens }));
  app.route('/', tokenRoutes(clients, tokens));
  return app;
}
