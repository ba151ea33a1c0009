import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import type { AgentServer } from '../../../src/home/identity-provider/servers/agent-server.ts';
import { EXCHANGE, type World } from '../sandbox/identity-provider-fixture.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const REFRESH_TOKEN = 'urn:ietf:params:oauth:token-type:refresh_token';

/** A server that runs the agent, as a home lists it, and the private half of its key. */
export async function newServer(client_id: string, address: string) {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: client_id, alg: 'ES256', use: 'sig' };
  const listed: AgentServer = { client_id, address, jwks: { keys: [jwk] } };
  return { ...listed, listed, privateKey: pair.privateKey, privateJwk: await exportJWK(pair.privateKey) };
}
export type TestServer = Awaited<ReturnType<typeof newServer>>;

/** What a server sends to the provider, by openid-client, which was not made here. */
export async function serverClient(world: Pick<World, 'discover'>, server: TestServer) {
  const auth = client.PrivateKeyJwt({ key: server.privateKey, kid: server.client_id });
  const config = await world.discover(server.client_id, {}, auth);
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  return {
    config,
    DPoP,
    exchange: (
      subject_token: string,
      parameters: Record<string, string> = {},
      options: client.DPoPOptions = { DPoP },
    ) =>
      client.genericGrantRequest(
        config,
        EXCHANGE,
        { subject_token, subject_token_type: ACCESS_TOKEN, ...parameters },
        options,
      ),
    renew: (refreshToken: string, parameters: Record<string, string> = {}) =>
      client.refreshTokenGrant(config, refreshToken, parameters, { DPoP }),
  };
}
