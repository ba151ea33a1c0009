import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { describe, expect, it } from 'vitest';
import { ALL_SCOPES, RESOURCE, refusal, signIn } from './identity-provider-fixture.ts';
import { ownProvider, refused, withProvider, world } from './provider-desk.ts';

withProvider();

describe('discovery', () => {
  it('names what is served and nothing else', async () => {
    const response = await fetch(`${world.issuer}/.well-known/openid-configuration`);
    const metadata = await response.json();
    expect(metadata).toMatchObject({
      issuer: world.issuer,
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      authorization_details_types_supported: [
        'trade_order',
        'message_send',
        'order_cancel',
        'order_replace',
        'trade_batch',
        'trading_lift',
        'trading_mandate',
        'policy_change',
        'account_access',
      ],
      backchannel_outcome_endpoint: `${world.issuer}/bc-outcome`,
      connected_accounts_endpoint: `${world.issuer}/me/v1/connected-accounts`,
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    });
    expect(metadata).toHaveProperty('authorization_endpoint', `${world.issuer}/authorize`);
    for (const path of ['/auth', '/session/end', '/request', '/interaction/x']) {
      expect((await fetch(world.issuer + path, { redirect: 'manual' })).status, path).toBe(404);
    }
  });

  it('publishes no private key', async () => {
    const { keys } = (await (await fetch(`${world.issuer}/jwks`)).json()) as JSONWebKeySet;
    expect(keys).toHaveLength(1);
    expect(keys[0]).not.toHaveProperty('d');
  });

  it('refuses a request that came by another name (DNS rebinding)', async () => {
    const { port } = new URL(world.issuer);
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', path: '/phone', headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(421);
  });
});

describe('device sign-in', () => {
  it('gives a DPoP-bound RFC 9068 token for the gateway, an ID token, and a refresh token', async () => {
    const { config, tokens } = await signIn(world);
    expect(tokens.token_type).toBe('dpop');
    expect(tokens.claims()).toMatchObject({ sub: 'alice', name: 'Alice Adams', email: 'alice@example.com' });
    expect(tokens.refresh_token).toBeTypeOf('string');
    const jwks = (await (await fetch(config.serverMetadata().jwks_uri ?? '')).json()) as JSONWebKeySet;
    const { payload, protectedHeader } = await jwtVerify(tokens.access_token, createLocalJWKSet(jwks));
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(payload).toMatchObject({
      iss: world.issuer,
      aud: RESOURCE,
      sub: 'alice',
      client_id: 'trade-agent',
      scope: 'market:read portfolio:read orders:read orders:cancel',
      cnf: { jkt: expect.any(String) },
      jti: expect.any(String),
    });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(600);
    expect(payload).not.toHaveProperty('authorization_details');
  });

  it('never gives the login client orders:write', async () => {
    const config = await world.loginClient();
    const scope = `${ALL_SCOPES} orders:write`;
    await refused(client.initiateDeviceAuthorization(config, { scope }), 'invalid_scope');
  });

  it('refuses authorization details from the login client', async () => {
    const config = await world.loginClient();
    const asked = { scope: ALL_SCOPES, authorization_details: '[{"type":"trade_order"}]' };
    await refused(client.initiateDeviceAuthorization(config, asked), 'invalid_authorization_details');
  });

  it('refuses a token request without a DPoP proof', async () => {
    const config = await world.loginClient();
    const device = await client.initiateDeviceAuthorization(config, { scope: ALL_SCOPES });
    await world.phone.completeDevice('alice', device.user_code);
    const call = client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0 });
    expect(await refusal(call)).toBe('invalid_dpop_proof');
  });

  it('asks for fewer scopes on a refresh', async () => {
    const { config, dpop, tokens } = await signIn(world);
    const read = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', { scope: 'market:read' }, dpop);
    expect(decodeJwt(read.access_token).scope).toBe('market:read');
  });

  it('answers at the userinfo endpoint for a token of identity scopes', async () => {
    const { config, dpop, tokens } = await signIn(world);
    const identity = await client.refreshTokenGrant(
      config,
      tokens.refresh_token ?? '',
      { scope: 'openid profile email' },
      dpop,
    );
    const info = await client.fetchUserInfo(config, identity.access_token, 'alice', dpop);
    expect(info).toMatchObject({ sub: 'alice', name: 'Alice Adams', email: 'alice@example.com' });
  });
});

describe('refresh tokens', () => {
  it('rotate, and a second use of one ends the session', async () => {
    const { config, dpop, tokens } = await signIn(world);
    const first = tokens.refresh_token ?? '';
    const second = (await client.refreshTokenGrant(config, first, undefined, dpop)).refresh_token ?? '';
    expect(second).not.toBe(first);
    expect(await refusal(client.refreshTokenGrant(config, first, undefined, dpop))).toBe('invalid_grant');
    expect(await refusal(client.refreshTokenGrant(config, second, undefined, dpop))).toBe('invalid_grant');
  });

  it('are bound to the DPoP key they were issued with', async () => {
    const { config, tokens } = await signIn(world);
    const other = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) };
    const call = client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, other);
    expect(await refusal(call)).toBe('invalid_grant');
  });

  it('are not used up by a request without a DPoP proof, for another resource or with authorization details', async () => {
    const { config, dpop, tokens } = await signIn(world);
    const refresh = (
      parameters: Record<string, string>,
      options: Parameters<typeof client.refreshTokenGrant>[3] = dpop,
    ) => client.refreshTokenGrant(config, tokens.refresh_token ?? '', parameters, options);
    expect(await refusal(refresh({}, {}))).toBe('invalid_dpop_proof');
    expect(await refusal(refresh({ resource: 'https://elsewhere.example' }))).toBe('invalid_target');
    expect(await refusal(refresh({ resource: `${RESOURCE}/mcp` }))).toBe('invalid_target');
    const details = JSON.stringify([{ type: 'trade_order' }]);
    expect(await refusal(refresh({ authorization_details: details }))).toBe('invalid_authorization_details');
    expect(decodeJwt((await refresh({ resource: RESOURCE })).access_token).aud).toBe(RESOURCE);
  });

  it('are given out once when two requests use one at the same moment', async () => {
    const { config, dpop, tokens } = await signIn(world);
    const results = await Promise.allSettled([
      client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, dpop),
      client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, dpop),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('can be revoked', async () => {
    const { config, dpop, tokens } = await signIn(world);
    await client.tokenRevocation(config, tokens.refresh_token ?? '');
    await refused(client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, dpop), 'invalid_grant');
  });

  it('survive a restart, as do the keys', async () => {
    const own = await ownProvider();
    const { config, dpop, tokens } = await signIn(own);
    const before = await (await fetch(`${own.issuer}/jwks`)).json();
    await own.restart();
    expect(await (await fetch(`${own.issuer}/jwks`)).json()).toEqual(before);
    const again = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, dpop);
    expect(decodeJwt(again.access_token).sub).toBe('alice');
  });
});
