import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../../src/config/yaml-file.ts';
import { createGatewayOptions, gatewaySettingsSchema } from '../../../src/gateway/gateway-settings.ts';

const key = { kty: 'EC' };

/** A whole `gateway.yaml`, with these keys beside or instead. */
const read = (changes: object = {}) =>
  parseYaml(
    gatewaySettingsSchema,
    JSON.stringify({
      issuer: 'https://id.example',
      resource: 'https://gateway.example',
      environment: 'paper',
      exchange: { client_id: 'gateway', audience: 'alpaca' },
      ...changes,
    }),
    'gateway.yaml',
  );
const options = async (changes: object = {}) =>
  createGatewayOptions(await read(changes), { privateKey: key, sealSecret: 'sealed' }, '/gateway');

const alpaca = { kind: 'alpaca' };
/** Accounts by key pair, and a client for the asking. */
const keyPairs = {
  exchange: undefined,
  broker: { kind: 'alpaca', credentials: 'key_pair' },
  approval: { client_id: 'asks' },
};

describe('gateway.yaml', () => {
  it('without a word of approvals asks by CIBA with details, as the client of the exchange', async () => {
    const found = await options();
    expect(found).toMatchObject({ requireBoundTokens: true, ownClients: [], maxSlippage: '0.01' });
    expect(found).not.toHaveProperty('allowedClients');
    const approval = { method: 'ciba', details: 'rar', signature: 'off', delivery: 'poll', maxTtl: 86_400 };
    expect(found.approval).toMatchObject({ ...approval, client: { id: 'gateway' }, privateKey: key });
  });

  it('says where the data is, if not in the folder: by a file or a variable, never the address itself', async () => {
    expect((await read()).database).toBeUndefined();
    expect((await read({ database: { url_env: 'GATEWAY_URL' } })).database).toEqual({
      url_env: 'GATEWAY_URL',
      tenant: 'default',
    });
    for (const [database, message] of [
      [{}, 'url_file or url_env'],
      [{ url_env: 'A', url_file: 'b' }, 'url_file or url_env'],
      [{ url_env: 'postgresql://gateway@localhost/x' }, 'the name of an environment variable'],
      [{ url: 'postgresql://gateway@localhost/x' }, 'url'],
      [{ url_env: 'A', tenant: "a'b" }, 'must be 1 to 64'],
    ] as const) {
      await expect(read({ database })).rejects.toThrow(message);
    }
  });

  it('says what wraps the keys that are in a database, and nothing of those that are files', async () => {
    const [database, kms] = [{ url_env: 'GATEWAY_URL' }, { file: 'wrapping-keys.json' }];
    expect((await read({ database, kms })).kms).toEqual(kms);
    await expect(read({ kms })).rejects.toThrow('requires "database"');
    await expect(read({ database, kms: {} })).rejects.toThrow('exactly one of file, vault and aws');
  });

  it('says how fast others are asked, or that it does not matter', async () => {
    expect(await options()).not.toHaveProperty('rates');
    const rates = { broker: { per_second: 2.5, burst: 50 }, provider: { per_second: 10, burst: 20 } };
    expect(await options({ rates })).toMatchObject({
      rates: { broker: { perSecond: 2.5, burst: 50 }, provider: { perSecond: 10, burst: 20 } },
    });
    expect(await options({ rates: { broker: 'off' } })).toMatchObject({ rates: { broker: 'off' } });
    for (const [wrong, message] of [
      [{ broker: 'fast' }, 'must be "off", or have per_second and burst'],
      [{ broker: { per_second: 0, burst: 1 } }, 'must be "off", or have per_second and burst'],
      [{ provider: 'off' }, 'provider'],
      [{ provider: { per_second: 1 } }, 'burst'],
      [{ provider: { per_second: 1, burst: 0.5 } }, 'burst'],
      [{ phone: { per_second: 1, burst: 1 } }, 'phone'],
    ] as const)
      await expect(read({ rates: wrong }), message).rejects.toThrow(message);
  });

  it('says how to ask, whose tokens count, and how far an order may go', async () => {
    const phone_url = 'https://id.example/phone';
    const approval = { client_id: 'asks', delivery: 'ping', max_ttl: 3600, phone_url };
    const clients = { allowed_clients: ['partner'], own_clients: ['trade-agent'] };
    const bounds = { require_bound_tokens: false, max_slippage: '0.05' };
    expect(await options({ approval, ...clients, ...bounds })).toMatchObject({
      approval: { client: { id: 'asks' }, delivery: 'ping', maxTtl: 3600, phoneUrl: phone_url },
      requireBoundTokens: false,
      allowedClients: ['partner'],
      ownClients: ['trade-agent'],
      maxSlippage: '0.05',
    });
  });

  it('keeps the id of a client that registers itself in the gateway’s folder', async () => {
    const { approval } = await options({ approval: { registration: true } });
    expect(approval?.client).toEqual({ registrationFile: '/gateway/registered-client.json' });
    const byToken = { registration: true, registration_token_file: 'token' };
    const { client } = (await options({ approval: byToken })).approval ?? {};
    expect(client).toMatchObject({ tokenFile: '/gateway/token' });
  });

  it('lets an approval take no longer than the provider would wait for it', async () => {
    const { approval } = await options({ approval: { provider: 'auth0', max_ttl: 3600 } });
    expect(approval?.maxTtl).toBe(300);
  });

  it.each<[object, string]>([
    [{ approval: { method: 'sms' } }, 'the only supported method is "ciba"'],
    [{ approval: { signature: 'paper' } }, 'approval.signature'],
    [{ environment: 'live', approval: { details: 'message' } }, 'must not be "message" for live money'],
    [{ approval: { provider: 'keycloak' } }, 'use "message"'],
    [{ approval: { client_id: 'x', registration_token_file: 'token' } }, 'is for "registration: true"'],
    [{ approval: { client_id: 'x', registration: true } }, 'either client_id or registration'],
    [{ approval: { max_ttl: 86_401 } }, '86400'],
    [{ max_slippage: '0.11' }, 'must be a fraction of at most 0.10'],
    [{ max_slippage: 'much' }, 'must be a plain decimal number'],
    [{ approval: { phone_url: 'http://phone.example' } }, 'https'],
    [{ issuer: 'http://id.example' }, 'https'],
    [{ broker: { kind: 'alpacca' } }, 'unknown broker "alpacca". Did you mean "alpaca"?'],
    [{ broker: { trading_url: 'http://broker.example' } }, 'https'],
    [{ broker: { trading_ulr: 'x' } }, 'unknown key "broker.trading_ulr"'],
    [{ exchange: undefined }, '"exchange": is missing'],
    [{ broker: { kind: 'alpaca', credentials: 'key_pair' } }, '"exchange": is not needed'],
    [{ broker: alpaca, brokers: { ira: alpaca } }, 'set either broker (for one) or brokers (for several)'],
    [{ brokers: {} }, 'must name at least one broker'],
    [{ brokers: { 'My IRA': alpaca } }, 'lowercase letters'],
    [{ brokers: { ira: { kind: 'alpaca', trading_ulr: 'x' } } }, 'unknown key "brokers.ira.trading_ulr"'],
    [{ brokers: { one: alpaca, two: alpaca } }, '"brokers.two.audience": must be unique'],
    [{ brokers: { ira: { credentials: 'key_pair', unattended: 'key_pair' } } }, 'brokers.ira.unattended'],
    [{ ...keyPairs, messages: { slack: { audience: 'slack' } } }, '"messages": need tokens from "exchange"'],
    [{ ...keyPairs, approval: {} }, '"approval": must name the client'],
    [{ broker: { credentials: 'password' } }, '"exchange"|"key_pair"'],
    [{ approval: { details_typ: 'x' } }, 'unknown key "approval.details_typ"'],
  ])('with %j is refused: %s', async (changes, message) => {
    await expect(read(changes)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(message),
    });
  });

  it.each<[string, object]>([
    ['not a word of it', {}],
    ['its kind alone', { broker: { kind: 'alpaca' } }],
    ['its address alone', { broker: { trading_url: 'https://broker.example' } }],
  ])('is for Alpaca with %s', async (_, changes) => {
    expect((await options(changes)).brokers).toMatchObject([{ name: 'broker', kind: 'alpaca', simulated: false }]);
  });

  it('takes several brokers by name, each opened by what is its own', async () => {
    const found = await options({
      brokers: {
        main: { kind: 'alpaca' },
        other: { kind: 'alpaca', audience: 'other', label: 'Other one' },
        ira: { kind: 'alpaca', credentials: 'key_pair', label: 'IRA' },
      },
    });
    expect(found.brokers).toMatchObject([
      { name: 'main' },
      { name: 'other', audience: 'other', label: 'Other one' },
      { name: 'ira', credentials: 'key_pair' },
    ]);
    expect(found.environment).toBe('paper');
  });

  it('needs no exchange for accounts that key pairs open, unless messages go out', async () => {
    const found = await options(keyPairs);
    expect(found).toMatchObject({
      brokers: [{ name: 'broker', kind: 'alpaca', credentials: 'key_pair' }],
      approval: { client: { id: 'asks' } },
      sealSecret: 'sealed',
    });
    expect(found).not.toHaveProperty('exchange');
    expect(await options({ ...keyPairs, approval: { registration: true } })).toMatchObject({
      approval: { client: { registrationFile: '/gateway/registered-client.json' } },
    });
    const sending = { broker: keyPairs.broker, messages: { slack: { audience: 'slack' } } };
    expect(await options(sending)).toMatchObject({ exchange: { client_id: 'gateway' } });
  });

  it('says which keys a broker has where one is misspelt', async () => {
    await expect(read({ broker: { trading_ulr: 'x' } })).rejects.toMatchObject({
      hint: expect.stringContaining('Did you mean "trading_url"?'),
    });
  });

  it.each([
    ['with live money where approvals are signed', 'live', { details: 'message', signature: 'required' }],
    ['on paper', 'paper', { provider: 'keycloak', details: 'message' }],
  ])('may ask by the message alone %s', async (_, environment, approval) => {
    expect((await options({ environment, approval })).approval).toMatchObject(approval);
  });
});
