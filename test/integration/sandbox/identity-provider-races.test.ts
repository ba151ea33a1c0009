import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import Database from 'better-sqlite3-multiple-ciphers';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createApprovalRequests } from '../../../src/home/identity-provider/approval-requests.ts';
import { createDeviceCodes } from '../../../src/home/identity-provider/device-codes.ts';
import { ActiveFaults } from '../../../src/home/identity-provider/faults.ts';
import { TERMINAL_PHONE_AUTHENTICATION } from '../../../src/home/identity-provider/protocol/protocol.ts';
import { createSignedGrants } from '../../../src/home/identity-provider/signed-grants.ts';
import { holdCibaPoll } from '../../../src/home/identity-provider.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createOidcStore } from '../../../src/store/home/oidc-store.ts';
import { prepareHomeDatabase } from '../../../src/store/home/schema.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { testKeys } from '../home/test-keys.ts';
import { details, RESOURCE } from './identity-provider-fixture.ts';

describe('a poll that waits', () => {
  const hold = async (client: { backchannelTokenDeliveryMode?: string } = {}) => {
    const database = createSqliteTransactions(prepareHomeDatabase(new Database(':memory:')));
    const requests = createApprovalRequests(database, systemClock);
    const exp = Math.floor(Date.now() / 1000) + 60;
    const request = await requests.add({
      authReqId: 'auth-req-id',
      user: 'alice',
      clientId: 'approval',
      clientName: 'approval',
      code: 'K7QP',
      bindingMessage: undefined,
      details: details(),
      expiresAt: exp * 1000,
    });
    const res = new ServerResponse(new IncomingMessage(new Socket()));
    const held = holdCibaPoll(
      request.authReqId,
      { clientId: 'approval', exp },
      {
        context: { oidc: { route: 'token', client: { clientId: 'approval', ...client } }, res },
        requests,
        faults: new ActiveFaults(),
        clock: systemClock,
        closing: new AbortController().signal,
      },
    );
    return { held, res, requests, request };
  };

  it('goes on to its answer when the decision comes', async () => {
    const { held, requests, request } = await hold();
    await requests.decide(request.id, 'approve');
    await requests.deliverOnce(request.id, async () => undefined);
    await expect(held).resolves.toBeUndefined();
    expect(requests.waiting(request.authReqId)).toBe(0);
  });

  it('is none where the client is called back: it polls only in case the call was lost', async () => {
    const { held, requests, request } = await hold({ backchannelTokenDeliveryMode: 'ping' });
    await expect(held).resolves.toBeUndefined();
    expect(requests.waiting(request.authReqId)).toBe(0);
  });

  it('is answered "pending" when its client left at the moment of the decision: the token stays for the next', async () => {
    const { held, res, requests, request } = await hold();
    res.destroy();
    await requests.decide(request.id, 'approve');
    await requests.deliverOnce(request.id, async () => undefined);
    await expect(held).rejects.toMatchObject({ error: 'authorization_pending' });
  });
});

describe('a device code', () => {
  let provider: Provider;
  beforeAll(() => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    vi.spyOn(console, 'info').mockImplementation(() => {});
    const nothing = async () => undefined;
    const { adapter } = createOidcStore({
      database: createSqliteTransactions(prepareHomeDatabase(new Database(':memory:'))),
      now: Date.now,
      onGrantEnded: nothing,
      beforeBackchannelRequest: nothing,
    });
    provider = new Provider('http://127.0.0.1:9', {
      adapter,
      clients: [
        {
          client_id: 'device',
          token_endpoint_auth_method: 'none',
          grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
          response_types: [],
          redirect_uris: [],
        },
      ],
      features: { deviceFlow: { enabled: true } },
    });
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });

  it('lets one person in when two decide in the same instant', async () => {
    const client = await provider.Client.find('device');
    if (client === undefined) throw new Error('no client');
    const code = new provider.DeviceCode({
      client,
      params: { scope: 'openid' },
      userCode: 'BCDFGHJK',
      deviceInfo: {},
      grantId: '',
    });
    // The library's types require a grant, but nobody has decided yet.
    Reflect.deleteProperty(code, 'grantId');
    await code.save();
    const codes = createDeviceCodes({
      servers: [],
      provider: async () => provider,
      issuer: RESOURCE,
      grants: { noteDevice: async () => undefined, discard: async () => undefined },
      resource: RESOURCE,
      signed: createSignedGrants({
        keys: testKeys(RESOURCE, RESOURCE),
        signatures: 'off',
        gateway: RESOURCE,
        now: Date.now,
      }),
      now: Date.now,
    });
    const consent = { evidence: undefined, days: 90, session: TERMINAL_PHONE_AUTHENTICATION } as const;
    const outcomes = await Promise.all([
      codes.decide('BCDF-GHJK', 'alice', consent),
      codes.decide('BCDF-GHJK', 'bob', consent),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['used', 'waiting']);
  });
});
