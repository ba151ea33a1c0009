import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LyingProvider, startLyingProvider } from '../auth/lying-provider.ts';
import { type CliWorld, openCliWorld } from './cli-world.ts';

let world: CliWorld;
let provider: LyingProvider;
let home: string;
beforeEach(async () => {
  world = await openCliWorld();
  provider = await startLyingProvider();
  home = join(world.env.TRADE_AGENT_HOME ?? '', 'gateway-of-the-test');
  mkdirSync(home, { recursive: true, mode: 0o700 });
});
afterEach(async () => {
  await Promise.all([world.close(), provider.close()]);
});

const settings = (changes: object = {}) =>
  writeFileSync(
    join(home, 'gateway.yaml'),
    JSON.stringify({
      issuer: provider.issuer,
      resource: 'https://gateway.example',
      environment: 'paper',
      exchange: { client_id: 'gateway', audience: 'alpaca' },
      ...changes,
    }),
  );
async function key(...args: string[]) {
  const { exitCode, body } = await world.json('gateway', 'key', '--home', home, ...args);
  return { exitCode, ...body };
}
const answered = (status: number, error: string) => {
  provider.lies.tokenError = { status, body: JSON.stringify({ error }) };
};

describe('gateway key', () => {
  it('prints the public half alone, and one client that asks and exchanges', async () => {
    const made = await key();
    expect(made).toMatchObject({
      exitCode: 0,
      status: 'made',
      jwk: { kty: 'EC', alg: 'ES256' },
      clients: [
        {
          client_id: null,
          grant_types: ['urn:openid:params:grant-type:ciba', 'urn:ietf:params:oauth:grant-type:token-exchange'],
          scope: 'openid orders:write messages:write',
          token_endpoint_auth_method: 'private_key_jwt',
          authorization_details_types: expect.arrayContaining(['trade_order', 'message_send']),
        },
      ],
    });
    const { d } = JSON.parse(readFileSync(join(home, 'key.json'), 'utf8'));
    expect(JSON.stringify(made)).not.toContain(d);
    expect(await key('--show')).toMatchObject({ status: 'in_use', jwk: made.jwk, pem: made.pem });
  });

  it('says what each client is for where gateway.yaml names two, and how it is called back', async () => {
    settings({
      approval: { client_id: 'asks', delivery: 'ping', details: 'message' },
      exchange: { client_id: 'gateway', audience: 'alpaca', grant: 'auth0-token-vault' },
    });
    const { clients } = await key('--type', 'RSA');
    expect(clients).toEqual([
      {
        client_id: 'gateway',
        grant_types: [expect.stringMatching(/^urn:auth0:/)],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'RS256',
      },
      {
        client_id: 'asks',
        grant_types: ['urn:openid:params:grant-type:ciba'],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'RS256',
        backchannel_token_delivery_mode: 'ping',
        backchannel_client_notification_endpoint: 'https://gateway.example/ciba/ping',
        scope: 'openid orders:write messages:write',
      },
    ]);
  });

  it('is replaced once the provider knows the next one for each client, and not before', async () => {
    settings({ approval: { client_id: 'asks' } });
    const first = await key();
    const waiting = await key('--rotate');
    expect(waiting).toMatchObject({ exitCode: 0, status: 'waiting' });
    expect(waiting.jwk.kid).not.toBe(first.jwk.kid);
    expect((await key('--rotate')).jwk).toEqual(waiting.jwk);

    answered(401, 'invalid_client');
    expect(await key('--confirm')).toMatchObject({ exitCode: 1, error: { code: 'provider_error' } });
    expect((await key('--show')).jwk).toEqual(first.jwk);

    answered(400, 'invalid_grant');
    const before = provider.tokenRequests();
    expect(await key('--confirm')).toMatchObject({ exitCode: 0, status: 'rotated', jwk: waiting.jwk });
    expect(provider.tokenRequests() - before).toBe(2);
    expect((await key('--show')).jwk).toEqual(waiting.jwk);
    expect(await key('--confirm')).toMatchObject({ exitCode: 2 });
  });

  it('is not switched by a provider that gives a token for a request nobody made', async () => {
    settings();
    await key();
    await key('--rotate');
    provider.lies.token = ({ id_token: _, ...answer }) => answer;
    expect(await key('--confirm')).toMatchObject({
      exitCode: 1,
      error: { message: expect.stringContaining('the response is not valid') },
    });
  });

  it('takes one step at a time, and has none to show where there is none', async () => {
    expect(await key('--rotate', '--confirm')).toMatchObject({ exitCode: 2 });
    expect(await key('--show')).toMatchObject({ exitCode: 2, error: { code: 'invalid_config' } });
  });
});
