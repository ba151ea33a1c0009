import type { AuditNote } from '../../../src/store/audit.ts';
import type { GatewayStores } from '../../../src/store/gateway-stores.ts';
import { mandateDigest, mandateEnvelopeSchema } from '../../../src/trading/mandate/envelope.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { mandateTerms } from '../../integration/sandbox/proposal-fixture.ts';

const issuer = 'https://issuer.example';
const sub = 'alice';
const client = 'trade-agent';
const note: AuditNote = { event: 'proposed', facts: { sub } };

/** Has a row in each of a gateway's tables. */
export async function filledStores(stores: GatewayStores): Promise<void> {
  const terms = mandateEnvelopeSchema.parse({
    ...mandateTerms(),
    standing: {
      order: { symbol: 'AAPL', side: 'buy', notional: '200', type: 'market', time_in_force: 'day' },
      when: { every: 'monday', at: '10:00' },
    },
  });
  const now = Date.parse(terms.not_before);
  const mandate = { id: terms.mandate_id, sub, terms, digest: mandateDigest(terms), client };
  await stores.mandates.grant({ ...mandate, approval: { issuer, jti: 'mandate' } }, now);
  const draft = {
    account: terms.account,
    client_order_id: 'ta-00000001',
    symbol: 'AAPL',
    side: 'buy',
    qty: '1',
    type: 'limit',
    limit_price: '180.00',
    reference_price: '180.00',
    max_slippage: '0.01',
    mandate: mandate.id,
    slot: '2026-W48',
  } as OrderDraft;
  const order = { sub, clientOrderId: draft.client_order_id, digest: 'digest', draft };
  await stores.orders.claim(
    { ...order, approval: { issuer, jti: 'order' }, mandate: mandate.id, slot: '2026-W48' },
    now,
    () => ({
      ...{
        sub,
        client,
        account: draft.account,
        action: 'place',
        stage: 'order',
        subjectId: draft.client_order_id,
      },
      ...{ effect: 'allow', reasons: [], texts: [], policy: 'digest', facts: {} },
    }),
  );
  const message = { sub, id: 'ta-00000002', digest: 'digest', draft: {} as never };
  await stores.messages.claim({ ...message, approval: { issuer, jti: 'message' } }, now);
  await proposed(stores, now);
  await stores.halts.reduce('bob', client, undefined, now);
  await stores.halts.halt('carol', client, now);
  await stores.keys.enrol(
    {
      ...{
        credentialId: 'key-1',
        sub,
        publicKey: new Uint8Array([1]),
        algorithm: -7,
        counter: 1,
        method: 'webauthn',
      },
      ...{ deviceType: 'multiDevice', backedUp: true, name: 'phone', transports: [], enrolledAt: now },
    },
    'machine',
    note,
    now,
  );
  await stores.keys.pair({ digest: 'pairing', sub, expiresAt: now + 1000 });
  const use = { credentialId: 'key-1', counter: 2, backedUp: true };
  await stores.keys.sign({ approval: 'pr_1', sub, digest: 'digest', evidence: {}, use }, note, now);
  await stores.access.grant(
    { id: 'ac_1', account: sub, role: 'viewer', who: 'bob', of: null, from: now, until: null },
    now,
  );
  await stores.brokerKeys.keep({
    ...{ sub, connection: 'broker', kind: 'alpaca', sealed: Buffer.from([1]), accountNumber: draft.account },
    ...{ environment: 'paper', keptAt: now },
  });
  await stores.defaultAccounts.choose(sub, draft.account);
  await stores.proofs.remember('proof', now + 1000, now);
}

async function proposed({ proposals }: GatewayStores, now: number): Promise<void> {
  const standing = await proposals.standing({ sub, client, typed: true }, 0);
  await proposals.draft(
    {
      ...{ id: 'pr_1', sub, client, username: undefined, email: undefined, kind: 'order', code: 'AB12' },
      ...{ subject: {}, subjectId: 'ta-1', fingerprint: 'one', digest: 'digest', nonce: undefined },
      ...{ worstCase: null, warnings: [], shows: {}, provenance: null, requestedBy: null, again: undefined },
      ...{ typed: true, deadline: now + 1000 },
    },
    { sub, client, key: 'key', request: 'body' },
    standing,
    note,
    now,
  );
}
