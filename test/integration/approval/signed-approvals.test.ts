import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApprovalKeys } from '../../../src/approval/keys/approval-keys.ts';
import { deriveSoftwareKey } from '../../../src/approval/signature/software-key.ts';
import { createPhoneClient, type PhoneRequest } from '../../../src/home/phone/phone-client.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import type { Proposal } from '../../../src/trading/proposal.ts';
import { createAuthenticator } from '../../unit/approval/signature/authenticator.ts';
import { signed } from '../../unit/approval/signature/signing-world.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

describe('an approval in a home', () => {
  let world: ProposalWorld;
  let alice: Person;
  let qty = 0;
  beforeAll(async () => {
    world = await startProposalWorld();
    alice = await world.as('alice');
  });
  afterAll(() => world.close());

  const address = () => world.sandbox.ready.issuer;
  const asked = async (): Promise<{ proposal: Proposal; request: PhoneRequest }> => {
    qty += 1;
    const order = { symbol: 'AAPL', side: 'buy', qty: String(qty) } as const;
    const proposal = await alice.propose({ kind: 'order', order });
    const request = (await world.phone.requests('alice')).find(({ code }) => code === proposal.code);
    if (request === undefined) throw new Error('the phone shows no such request');
    return { proposal, request };
  };
  const approve = async (id: string, evidence: unknown) => {
    const answer = await fetch(`${address()}/phone/api/requests/${id}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${world.sandbox.pairingSecret}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ decision: 'approve', evidence }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const lines = () => world.record();

  it('by the terminal phone is signed by its software key, and the record says so', async () => {
    const { proposal } = await asked();
    await alice.tap(proposal.code);
    await alice.until(proposal.id, 'executed');
    const own = () => lines().filter((line) => line.proposal === proposal.id || line.approval === proposal.id);
    await expect.poll(() => own().at(-1)?.event).toBe('executed');
    expect(own().map(({ event }) => event)).toEqual([
      'proposed',
      'requested',
      'signed',
      'approved',
      'executing',
      'executed',
    ]);
    expect(own()[2]).toMatchObject({
      sub: 'alice',
      method: 'software',
      device_type: 'singleDevice',
      backed_up: false,
      credential_id: deriveSoftwareKey(world.sandbox.pairingSecret, 'alice').credentialId,
    });
  });

  it('by a phone client with another key is refused in words', async () => {
    const { proposal, request } = await asked();
    const withAnotherKey = createPhoneClient({
      phone: world.sandbox.ready.phone,
      pairingSecret: world.sandbox.pairingSecret,
      keyOf: (user) => deriveSoftwareKey('guessed', user),
    });
    await expect(withAnotherKey.decide(request.id, 'approve')).rejects.toMatchObject({
      code: 'provider_error',
      message: expect.stringContaining('not enrolled here'),
    });
    await alice.tap(proposal.code, 'deny');
    await alice.until(proposal.id, 'denied');
  });

  it('by a passkey is carried out, also where two are signed one after the other', async () => {
    const database = new Database(join(world.folder, 'sandbox', 'gateway.db'));
    const place = { origin: address(), rpId: 'localhost' };
    try {
      const keys = new ApprovalKeys({
        store: createSqliteGatewayStores(database).keys,
        gateway: address(),
        ...place,
        rpName: 'trade-agent',
        clock: systemClock,
        softwareKeys: false,
      });
      const passkey = createAuthenticator('ES256', place, { synced: true });
      const { secret } = await keys.pair('alice');
      const { challenge } = await keys.creationOptions({ secret });
      await keys.enroll({ secret }, passkey.register(challenge), 'phone');
      const first = await asked();
      const second = await asked();
      const early = signed(passkey, first.request.details);
      const late = signed(passkey, second.request.details);
      // Sent in the order they were signed: each is looked at when it is tapped, whenever the gateway hears of it.
      expect(await approve(first.request.id, early)).toMatchObject({ status: 200 });
      expect(await approve(second.request.id, late)).toMatchObject({ status: 200 });
      // Again, as after a double tap.
      expect(await approve(first.request.id, early)).toMatchObject({ status: 200 });
      await alice.until(second.proposal.id, 'executed');
      await alice.until(first.proposal.id, 'executed');
      const own = () => lines().filter(({ approval }) => approval === first.proposal.id);
      await expect.poll(() => own().length).toBe(1);
      expect(own()).toMatchObject([
        { event: 'signed', method: 'webauthn', device_type: 'multiDevice', backed_up: true },
      ]);
    } finally {
      database.close();
    }
  });
});
