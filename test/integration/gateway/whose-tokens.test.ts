import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIdentityProvider } from '../../../src/gateway/auth/identity-provider.ts';
import { verifyApprovalToken } from '../../../src/gateway/auth/token-verifier.ts';
import { dpopKey } from './support/dpop-key.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({
    requireBoundTokens: true,
    allowedClients: ['partner'],
    ownClients: ['trade-agent'],
  });
});
afterAll(() => world.close());

const scope = 'market:read';

/** Reads the clock with a token of this client, bound to a key. */
async function read(client_id: string | undefined, azp?: string) {
  const key = await dpopKey();
  const token = await world.reader(scope, { client_id, azp, cnf: { jkt: key.jkt } });
  const url = `${world.url}/v1/clock`;
  const dpop = await key.proof({ method: 'GET', url, token, at: world.clock.now() });
  return await world.get('/v1/clock', undefined, { authorization: `DPoP ${token}`, dpop });
}

describe('a gateway that takes bound tokens alone', () => {
  it('refuses one that is bound to no key, for reading as for placing', async () => {
    const token = await world.reader(scope, { client_id: 'partner' });
    await world.refuses(world.get('/v1/clock', token), 401, 'token_not_bound');
    const draft = world.draft();
    const approval = await world.approve(draft, { claims: { client_id: 'partner' } });
    await world.refuses(world.place(draft, approval), 401, 'token_not_bound');
  });

  it('takes one with its proof', async () => {
    expect((await read('partner')).status).toBe(200);
  });

  it('takes the token of an approval that it asked for itself, whoever its client', async () => {
    const provider = createIdentityProvider({
      issuer: world.issuer.url,
      fetch,
      timeoutMs: 2000,
      clock: world.clock,
    });
    const options = { provider, resource: world.url, clock: world.clock };
    const token = await world.approve(world.draft(), { claims: { client_id: 'gateway-client' } });
    expect(await verifyApprovalToken(token, options)).toMatchObject({
      sub: 'alice',
      username: undefined,
      clientId: 'gateway-client',
      jti: expect.any(String),
    });
    const other = await world.approve(world.draft(), { claims: { aud: 'https://elsewhere.example' } });
    await expect(verifyApprovalToken(other, options)).rejects.toMatchObject({ code: 'token_audience' });
  });
});

describe('a gateway with a list of clients', () => {
  it('takes the tokens of those listed, and of its own', async () => {
    expect((await read('partner')).status).toBe(200);
    expect((await read('trade-agent')).status).toBe(200);
  });

  it('knows a client by `azp` where the token says it by that alone, as Keycloak’s does', async () => {
    expect((await read(undefined, 'partner')).status).toBe(200);
    await world.refuses(read('another', 'partner'), 403, 'client_not_allowed');
  });

  it.each([['another'], [undefined]])('refuses the token of client %s', async (client) => {
    await world.refuses(read(client), 403, 'client_not_allowed');
  });
});
