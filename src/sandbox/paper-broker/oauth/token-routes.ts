import { type Context, Hono } from 'hono';
import { formOf } from './form-body.ts';
import { authenticated, type OAuthClient } from './oauth-client.ts';
import type { IssuedTokens, TokenStore } from './token-store.ts';

/** What a client asks by itself: tokens for a code or a refresh token, and the end of them. */
export function tokenRoutes(clients: readonly OAuthClient[], tokens: TokenStore): Hono {
  const app = new Hono();

  app.post('/oauth/token', async (context) => {
    const form = await formOf(context);
    const client = authenticated(clients, context.req.header('authorization'), form);
    if (client === undefined) return clientRefused(context);
    let issued: IssuedTokens | undefined;
    if (form.grant_type === 'authorization_code') {
      const { code, redirect_uri, code_verifier } = form;
      if (!code || !redirect_uri || !code_verifier) return tokenError(context, 'invalid_request');
      issued = tokens.redeemCode(code, { client_id: client.client_id, redirect_uri, code_verifier });
    } else if (form.grant_type === 'refresh_token') {
      if (!form.refresh_token) return tokenError(context, 'invalid_request');
      const scopes = form.scope?.split(' ').filter((scope) => scope !== '');
      issued = tokens.refresh(form.refresh_token, client.client_id, scopes);
    } else {
      return tokenError(context, form.grant_type ? 'unsupported_grant_type' : 'invalid_request');
    }
    return issued === undefined ? tokenError(context, 'invalid_grant') : context.json(issued);
  });

  app.post('/oauth/revoke', async (context) => {
    const form = await formOf(context);
    const client = authenticated(clients, context.req.header('authorization'), form);
    if (client === undefined) return clientRefused(context);
    if (!form.token) return tokenError(context, 'invalid_request');
    tokens.revoke(form.token, client.client_id);
    return context.body(null, 200);
  });

  return app;
}

function clientRefused(context: Context) {
  context.header('WWW-Authenticate', 'Basic realm="paper-broker"');
  return context.json({ error: 'invalid_client' }, 401);
}

function tokenError(context: Context, error: string) {
  return context.json({ error }, 400);
}
