import type { AuditNote } from '../../../src/store/audit.ts';
import type { GatewayStores } from '../../../src/store/gateway-stores.ts';
import type { StoredProposal } from '../../../src/store/proposal-store.ts';
import { type MandateEnvelope, mandateDigest, mandateEnvelopeSchema } from '../../../src/trading/mandate/envelope.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { plainSigner } from '../../fixtures/record-lines.ts';
import { mandateTerms } from '../../integration/sandbox/proposal-fixture.ts';

const issuer = 'https://issuer.example';
const sub = 'alice';
const client = 'trade-agent';
const note: AuditNote = { event: 'proposed', facts: { sub } };

/** Has a row in each of a gateway's tables. */
export async function filledStores(stores: GatewayStores): Promise<void> {
  const terms = await granted(stores);
  const now = Date.parse(terms.not_before);
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
    mandate: terms.mandate_id,
    slot: '2026-W48',
  } as OrderDraft;
  const order = { sub, clientOrderId: draft.client_order_id, digest: 'digest', draft };
  await stores.orders.claim(
    { ...order, approval: { issuer, jti: 'order' }, mandate: terms.mandate_id, slot: '2026-W48' },
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
  await stores.messages.claim({ ...message, approval: { issuer, jti: 'message' } }, { since: 0, max: 1 }, now);
  await drafted(stores, 'pr_1', now);
  await stores.halts.restrict('bob', client, undefined, now);
  await stores.halts.halt('carol', client, now);
  await stores.keys.enroll(
    {
      ...{
        credentialId: 'key-1',
        sub,
        rpId: 'home.example',
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
  await stores.keys.storePairing({ digest: 'pairing', sub, expiresAt: now + 1000 });
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
  await stores.audit.sequence(plainSigner, true);
  for (const day of ['2026-11-23', '2026-11-24'])
    await stores.checkpoints.close({ day, today: '2026-11-25' }, plainSigner);
  await stores.defaultAccounts.choose(sub, draft.account);
  await stores.limits.remember(now);
  const rules = { texts: { 'limits.yaml': 'version: 1\n' }, isLimited: true };
  await stores.rules?.replace('', rules, now, async () => undefined);
  await stores.earlyPings.add('early', now);
  await stores.buckets?.take('broker', { perSecond: 1, burst: 1 }, 1);
  await stores.proofs.remember('proof', now + 1000, now);
}

/** Has alice give a mandate, `M-x9K2aB7cD1`. */
export async function granted({ mandates }: GatewayStores): Promise<MandateEnvelope> {
  const terms = mandateEnvelopeSchema.parse({
    ...mandateTerms(),
    standing: {
      order: { symbol: 'AAPL', side: 'buy', notional: '200', type: 'market', time_in_force: 'day' },
      when: { every: 'monday', at: '10:00' },
    },
  });
  const mandate = { id: terms.mandate_id, sub, terms, digest: mandateDigest(terms), client };
  await mandates.grant({ ...mandate, approval: { issuer, jti: 'mandate' } }, Date.parse(terms.not_before));
  return terms;
}

export async function drafted({ proposals }: GatewayStores, id: string, now: number): Promise<StoredProposal> {
  const standing = await proposals.snapshot({ sub, client, typed: true }, 0);
  const draft = await proposals.draft(
    {
      ...{ id, sub, client, username: undefined, email: undefined, kind: 'order', code: 'AB12' },
      ...{ subject: {}, subjectId: `ta-${id}`, fingerprint: id, digest: 'digest', nonce: undefined },
      ...{ worstCase: null, warnings: [], shows: {}, provenance: null, requestedBy: null, again: undefined },
      ...{ typed: true, deadline: now + 1000 },
    },
    { sub, client, key: id, request: 'body' },
    standing,
    note,
    now,
  );
  if (draft.outcome !== 'drafted') throw new Error(draft.outcome);
  return draft.proposal;
}
