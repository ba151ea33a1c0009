import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveSoftwareKey } from '../../../../src/approval/signature/software-key.ts';
import { buildTradeOrderDetails } from '../../../../src/trading/approval-details.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { Algorithm, Authenticator } from './authenticator.ts';
import { ADDRESS, authenticatorOf, createSigningWorld, detailsOf, type SigningWorld, signed } from './signing-world.ts';

let world: SigningWorld;
let phone: Authenticator;
beforeEach(async () => {
  world = createSigningWorld();
  phone = authenticatorOf();
  await world.enrol('alice', phone);
});
afterEach(() => world.close());

const check = (evidence: unknown, details = detailsOf(), sub = 'alice') => world.keys.check(details, evidence, sub);

describe('an approval signed by its person’s own key', () => {
  it.each<Algorithm>(['ES256', 'EdDSA', 'RS256'])('passes: %s', async (algorithm) => {
    const authenticator = authenticatorOf(algorithm);
    await world.enrol('bob', authenticator);
    expect(await check(signed(authenticator, detailsOf(), {}, 'bob'), detailsOf(), 'bob')).toMatchObject({
      method: 'webauthn',
      credentialId: authenticator.credentialId,
      deviceType: 'singleDevice',
      backedUp: false,
    });
  });

  it('passes for what a client asks for by itself', async () => {
    const details = buildTradeOrderDetails(draft, { gateway: ADDRESS, code: '7K3M' });
    const evidence = signed(phone, details);
    expect(evidence.statement).toMatchObject({
      proposal: draft.client_order_id,
      digest: details.digest,
      nonce: details.digest,
      code: '7K3M',
      worst_case: null,
    });
    expect(await world.keys.check(details, evidence, 'alice')).toMatchObject({ method: 'webauthn' });
  });

  it('passes again with the very same evidence, whatever was signed since', async () => {
    const evidence = signed(phone);
    await check(evidence);
    const other = detailsOf({ proposal: 'pr_another000000000', nonce: 'BBBBBBBBBBBBBBBBBBBBBB' });
    await check(signed(phone, other), other);
    expect(await check(evidence)).toMatchObject({ counter: 2 });
    expect(world.lines().filter(({ event }) => event === 'signed')).toHaveLength(2);
  });

  it('leaves a line of who signed with what', async () => {
    await check(signed(phone));
    expect(world.lines().at(-1)).toMatchObject({
      event: 'signed',
      approval: 'pr_0123456789abcdef',
      sub: 'alice',
      method: 'webauthn',
      credential_id: phone.credentialId,
      device_type: 'singleDevice',
      backed_up: false,
      digest: detailsOf().digest,
    });
  });

  it('is told apart where a software key signed', async () => {
    const key = deriveSoftwareKey('secret', 'alice');
    await world.keys.enrollSoftwareKey('alice', key);
    expect(await check(key.sign(detailsOf(), { origin: ADDRESS }))).toMatchObject({ method: 'software' });
    expect(world.lines().at(-1)).toMatchObject({ event: 'signed', method: 'software' });
  });

  it('is verified within 2 ms of the processor', async () => {
    const times: number[] = [];
    for (let index = 0; index < 300; index++) {
      const evidence = signed(phone);
      // What else the machine does meanwhile is not counted.
      const before = process.cpuUsage();
      await check(evidence);
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
    }
    const median = times.toSorted((one, other) => one - other)[150] ?? Number.NaN;
    console.info(`verify: median ${median.toFixed(2)} ms`);
    expect(median).toBeLessThan(2);
  });
});

const draft = {
  environment: 'paper',
  account: 'PA00000001',
  client_order_id: 'ta-00000001',
  symbol: 'AAPL',
  side: 'buy',
  qty: '5',
  type: 'market',
  time_in_force: 'day',
  extended_hours: false,
  reference_price: '180.00',
  max_slippage: '0.01',
  expires_at: '2026-11-25T14:35:00Z',
} as OrderDraft;
