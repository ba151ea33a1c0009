import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CibaApprovalClient, type CibaApprovalClientOptions } from '../../../src/approval/ciba/ciba-approval-client.ts';
import { type Lies, type LyingProvider, startLyingProvider } from '../auth/lying-provider.ts';
import { aQuestion, clientKey, GATEWAY, optionsFor } from './asking-fixture.ts';

let provider: LyingProvider;
let folder: string;
let registrationFile: string;
beforeEach(async () => {
  provider = await startLyingProvider();
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-registration-'));
  registrationFile = join(folder, 'registered-client.json');
});
afterEach(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

const lie = (lies: Lies) => Object.assign(provider.lies, lies);
const asking = (change: Partial<CibaApprovalClientOptions> = {}) =>
  new CibaApprovalClient(optionsFor(provider, { client: { registrationFile }, ...change }));

describe('a gateway that registers itself', () => {
  it('does so once, as a confidential client with a public key only', async () => {
    await asking().request(aQuestion());
    await asking().request(aQuestion());
    expect(provider.registrations).toEqual([
      {
        client_name: 'trade-agent gateway at 127.0.0.1:1',
        grant_types: ['urn:openid:params:grant-type:ciba'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [expect.objectContaining({ kty: 'EC', kid: 'gateway-key', use: 'sig' })] },
        backchannel_token_delivery_mode: 'poll',
        authorization_details_types: expect.arrayContaining(['trade_order', 'message_send']),
      },
    ]);
    expect(JSON.stringify(provider.registrations)).not.toContain(clientKey.d);
    expect(statSync(registrationFile).mode & 0o077).toBe(0);
    expect(readFileSync(registrationFile, 'utf8')).not.toContain(clientKey.d);
  });

  it('does so once for many questions at the same time', async () => {
    const one = asking();
    await Promise.all([1, 2, 3, 4].map(() => one.request(aQuestion())));
    expect(provider.registrations).toHaveLength(1);
    expect(provider.backchannelRequests()).toBe(4);
  });

  it('says where it is called back, and leaves out the types that the provider doesn’t know', async () => {
    lie({ metadata: (found) => ({ ...found, authorization_details_types_supported: ['trade_order'] }) });
    await asking({ delivery: 'ping' }).request(aQuestion());
    expect(provider.registrations[0]).toMatchObject({
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: `${GATEWAY}/ciba/ping`,
      authorization_details_types: ['trade_order'],
    });
  });

  it('does so again when the provider has forgotten it, and once only', async () => {
    await asking().request(aQuestion());
    const forget = () => Response.json({ error: 'invalid_client' }, { status: 401 });
    const registered = () => Response.json({ client_id: 'approval-2' }, { status: 201 });
    lie({ instead: { '/backchannel': forget, '/register': registered } });
    const one = asking();
    await expect(one.request(aQuestion())).rejects.toMatchObject({
      code: 'provider_error',
      message: expect.stringContaining('approval-2'),
    });
    expect(JSON.parse(readFileSync(registrationFile, 'utf8'))).toMatchObject({ client_id: 'approval-2' });
    provider.lies.instead = {};
    await one.request(aQuestion());
    expect(provider.backchannelForms.at(-1)).toMatchObject({ client_id: 'approval-2' });
  });

  it('does so again with another key', async () => {
    await asking().request(aQuestion());
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    await asking({ privateKey: await exportJWK(privateKey) }).request(aQuestion());
    expect(provider.registrations).toHaveLength(2);
  });

  it('says what to do where the provider lets nobody register', async () => {
    lie({ metadata: ({ registration_endpoint: _, ...found }) => found });
    await expect(asking().request(aQuestion())).rejects.toMatchObject({
      code: 'provider_error',
      hint: expect.stringContaining('approval.client_id'),
    });
  });

  it('refuses a damaged record of it rather than leave a client behind', async () => {
    writeFileSync(registrationFile, '{"issuer":', { mode: 0o600 });
    await expect(asking().request(aQuestion())).rejects.toMatchObject({ code: 'invalid_config' });
    expect(provider.registrations).toHaveLength(0);
  });
});
