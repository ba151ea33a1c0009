import Database from 'better-sqlite3-multiple-ciphers';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import * as oidc from 'openid-client';
import { onTestFinished } from 'vitest';
import { listenOnLoopback } from '../../../src/net/http-server.ts';
import { DEVICE_GRANT } from '../../../src/oauth/oauth-names.ts';
import {
  type Company,
  type CompanyOptions,
  createCompany,
  SECOND_FACTOR_SIGN_IN,
} from '../../../src/sandbox/company/company.ts';
import type { CompanyRule } from '../../../src/sandbox/company/rules.ts';

export const HOME = 'https://home.example';
export const CLIENT = 'trade-agent-acme';
export const ALICE = '00u-alice';

export const acmePeople: CompanyOptions['people'] = [
  {
    ...{ sub: ALICE, username: 'alice', name: 'Alice Adams', email: 'alice@acme.example' },
    ...{ groups: ['traders', 'staff'], password: 'alice-password' },
  },
  {
    ...{ sub: '00u-bob', username: 'bob', name: 'Bob Brown', email: 'bob@acme.example' },
    ...{ groups: ['staff'], password: 'bob-password' },
  },
];

export const letsIn: CompanyRule = {
  client_id: CLIENT,
  audience: HOME,
  resources: [`${HOME}/v1`],
  scopes: ['portfolio:read', 'orders:propose'],
  groups: ['traders'],
};

export interface Machine {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function newMachine(): Promise<Machine> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, publicJwk: await exportJWK(publicKey) };
}

export interface CompanyWorld {
  readonly company: Company;
  readonly rules: CompanyRule[];
  client(machine?: Machine, clientId?: string): Promise<oidc.Configuration>;
  signIn(
    configuration: oidc.Configuration,
    sub?: string,
    strength?: Parameters<Company['decide']>[2],
  ): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>;
}

export async function companyWorld(rules: CompanyRule[] = [letsIn]): Promise<CompanyWorld> {
  const server = await listenOnLoopback(0, Date.now);
  const database = new Database(':memory:');
  const errors: string[] = [];
  const company = await createCompany({
    issuer: server.url,
    name: 'Acme',
    database,
    people: acmePeople,
    clients: [
      { client_id: CLIENT, name: 'trade-agent at Acme' },
      { client_id: 'another', name: 'Another program' },
    ],
    rules,
    pairingSecret: 'pairing',
    onError: (message) => errors.push(message),
  });
  server.serve(company.callback);
  onTestFinished(async () => {
    await server.close();
    database.close();
    if (errors.length > 0) throw new Error(`the company had errors: ${errors.join(', ')}`);
  });

  return {
    company,
    rules,
    async client(machine, clientId = CLIENT) {
      const { privateKey, publicJwk } = machine ?? (await newMachine());
      await register(server.url, clientId, publicJwk);
      return await oidc.discovery(
        new URL(server.url),
        clientId,
        { id_token_signed_response_alg: 'ES256' },
        oidc.PrivateKeyJwt(privateKey),
        { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
      );
    },
    async signIn(configuration, sub = ALICE, strength = SECOND_FACTOR_SIGN_IN) {
      const scope = 'openid profile email offline_access';
      const started = await oidc.initiateDeviceAuthorization(configuration, { scope });
      await company.decide(started.user_code, sub, strength);
      return await oidc.genericGrantRequest(configuration, DEVICE_GRANT, {
        device_code: started.device_code,
      });
    },
  };
}

export async function register(issuer: string, clientId: string, key: JWK): Promise<Response> {
  const { kty, crv, x, y } = key;
  return await fetch(`${issuer}/clients/${clientId}/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kty, crv, x, y }),
  });
}
