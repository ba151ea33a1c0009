import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/approval/signature/statement.ts';
import { createStaticRulesSource } from '../../../src/gateway/policy/rules.ts';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { buildTradeOrderDetails } from '../../../src/trading/approval-details.ts';
import type { MessageDraft } from '../../../src/trading/message.ts';
import { buildMessageSendDetails } from '../../../src/trading/message-details.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { limitsWithRecipients } from '../../fixtures/known-recipients.ts';
import { type Authenticator, createAuthenticator } from '../../unit/approval/signature/authenticator.ts';
import { signed } from '../../unit/approval/signature/signing-world.ts';
import { type Agent, type ForeignWorld, startForeignWorld } from './foreign-world.ts';
import { startProposalWorld } from './world.ts';

type Details = Readonly<Record<string, unknown>>;

const buy = (qty: string, more: object = {}) => ({
  kind: 'order',
  order: { symbol: 'AAPL', side: 'buy', qty, ...more },
});

/** A provider that approves by itself and signs any token with its right keys; only enrolled keys stop it. */
let world: ForeignWorld;
let agent: Agent;
let phone: Authenticator;
let bobs: Authenticator;
const rules = createStaticRulesSource(limitsWithRecipients('slack:#trading'));
beforeEach(async () => {
  world = await startForeignWorld({ signature: 'required', rules });
  world.issuer.elsewhere.set('alice slack', 'slack-token-of-alice');
  agent = world.agent('alice', 'trade-agent');
  phone = await enrolled('alice');
  bobs = await enrolled('bob');
});
afterEach(() => world.close());

const place = () => ({ origin: world.url, rpId: new URL(world.url).hostname });
async function enrolled(sub: string): Promise<Authenticator> {
  const authenticator = createAuthenticator('ES256', place());
  const { secret } = await world.keys.pair(sub);
  const { challenge } = await world.keys.creationOptions({ secret });
  await world.keys.enroll({ secret }, authenticator.register(challenge), 'phone');
  return authenticator;
}
/** It ends so, and nothing of it reached the broker or the service. */
async function comesToNothing(id: string, code: string, submissions: number): Promise<void> {
  expect(await agent.ended(id)).toMatchObject({ state: 'blocked', reason: { code } });
  expect(world.broker.submissions).toHaveLength(submissions);
  expect(world.broker.replacements).toHaveLength(0);
  expect(world.broker.requests.filter((one) => /slack|DELETE/.test(one))).toEqual([]);
}
async function traded(request: object): Promise<Record<string, unknown>> {
  const { id, details } = await agent.proposed(request);
  await world.decide(id, 'approve', { approval_evidence: signed(phone, details) });
  const body = await agent.ended(id);
  expect(body.state).toBe('executed');
  return body.result as Record<string, unknown>;
}

describe('a provider that approves by itself', () => {
  it('trades nothing, where the phone’s own signature does', async () => {
    const { id } = await agent.proposed(buy('5'));
    await world.decide(id, 'approve');
    await comesToNothing(id, 'signature_missing', 0);
    await traded(buy('6'));
    expect(world.broker.submissions).toHaveLength(1);
  });

  it.each<[string, string, (details: Details) => unknown]>([
    ['a word', 'signature_malformed', () => 'approved'],
    [
      'its own key under the phone’s name',
      'signature_wrong',
      (details) => {
        const own = createAuthenticator('ES256', place());
        own.counter = 1000;
        return { ...signed(own, details), credential_id: phone.credentialId };
      },
    ],
    [
      'a smaller order that the phone was shown',
      'signature_digest',
      (details) => signed(phone, { ...details, subject: { qty: '1' }, digest: 'A'.repeat(43) }),
    ],
    [
      'a better worst case that the phone was shown',
      'signature_worst_case',
      (details) =>
        signed(phone, {
          ...details,
          worst_case: { cash: '1.00', price: null, text: 'Costs at most $1.00.' },
        }),
    ],
  ])('trades nothing with evidence by %s', async (_, code, evidence) => {
    const { id, details } = await agent.proposed(buy('5'));
    await world.decide(id, 'approve', { approval_evidence: evidence(details) });
    await comesToNothing(id, code, 0);
  });

  it('trades nothing with what the phone signed for another order, however it is dressed', async () => {
    const first = await agent.proposed(buy('1'));
    const evidence = signed(phone, first.details);
    await world.decide(first.id, 'approve', { approval_evidence: evidence });
    expect(await agent.ended(first.id)).toMatchObject({ state: 'executed' });
    const second = await agent.proposed(buy('7'));
    await world.decide(second.id, 'approve', { approval_evidence: evidence });
    await comesToNothing(second.id, 'signature_proposal', 1);
    const third = await agent.proposed(buy('8'));
    const { statement } = signed(phone, third.details);
    await world.decide(third.id, 'approve', { approval_evidence: { ...evidence, statement } });
    await comesToNothing(third.id, 'signature_challenge', 1);
  });

  it('trades nothing by details of its own, though the phone signed those of the gateway’s', async () => {
    const { id, details } = await agent.proposed(buy('5'));
    const subject = { ...(details.subject as object), qty: '50' };
    await world.decide(id, 'approve', {
      authorization_details: [{ ...details, subject }],
      approval_evidence: signed(phone, details),
    });
    await comesToNothing(id, 'details_mismatch', 0);
  });

  it('has carried out what the digest stands for, whatever else it showed', async () => {
    const { id, details } = await agent.proposed(buy('5'));
    // The statement has no text of the screen in it: a phone that was shown something else signs the same.
    const shown = { ...details, subject: { ...(details.subject as object), qty: '1' } };
    await world.decide(id, 'approve', { approval_evidence: signed(phone, shown) });
    expect(await agent.ended(id)).toMatchObject({ state: 'executed' });
    expect(world.broker.submissions).toMatchObject([{ qty: '5' }]);
  });

  it('trades nothing by a key that its person has removed, though it signed before', async () => {
    const { id, details } = await agent.proposed(buy('5'));
    const evidence = signed(phone, details);
    await world.keys.remove('machine', phone.credentialId);
    await world.decide(id, 'approve', { approval_evidence: evidence });
    await comesToNothing(id, 'signature_key_removed', 0);
  });

  it('replaces and cancels nothing, sends nothing, and lifts no halt', async () => {
    const { id: order } = await traded(buy('5', { type: 'limit', limit_price: '100.00' }));
    for (const request of [
      { kind: 'replace', replace: { order_id: order, limit_price: '101.00' } },
      { kind: 'cancel', cancel: { order_id: order } },
      { kind: 'message', message: { service: 'slack', recipient: '#trading', text: 'hello' } },
    ]) {
      const { id } = await agent.proposed(request);
      await world.decide(id, 'approve');
      await comesToNothing(id, 'signature_missing', 1);
    }
    await agent.send('PUT', '/v1/halt');
    const { id } = await agent.proposed({ kind: 'lift', lift: {} });
    await world.decide(id, 'approve');
    await comesToNothing(id, 'signature_missing', 1);
    expect((await agent.send('GET', '/v1/halt')).body).toMatchObject({ halted: true });
  });
});

describe('a provider that signs tokens for itself', () => {
  const draft = (changes: Partial<OrderDraft> = {}): OrderDraft => ({
    account: 'PA3ALICE01',
    environment: 'paper',
    symbol: 'AAPL',
    side: 'buy',
    qty: '5',
    type: 'limit',
    time_in_force: 'day',
    limit_price: '180.00',
    extended_hours: false,
    reference_price: '180.01',
    max_slippage: '0.01',
    client_order_id: `ta-${randomUUID()}`,
    expires_at: formatUtcSeconds(Date.now() + 240_000),
    ...changes,
  });
  const detailsOf = (order: OrderDraft) => buildTradeOrderDetails(order, { gateway: world.url, code: '7K3M' });
  const post = async (path: string, body: object, scope: string, details: object, evidence?: Evidence) => {
    const token = await world.issuer.mint({
      claims: { scope, authorization_details: [details], approval_evidence: evidence },
    });
    const answer = await fetch(`${world.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const order = (body: OrderDraft, evidence?: Evidence) =>
    post('/v1/orders', body, 'orders:write', detailsOf(body), evidence);

  it('places nothing, where the phone’s own signature does, once', async () => {
    const body = draft();
    const evidence = signed(phone, detailsOf(body));
    expect(await order(body)).toMatchObject({ status: 403, body: { code: 'signature_missing' } });
    expect(await order(body, signed(bobs, detailsOf(body)))).toMatchObject({
      status: 403,
      body: { code: 'signature_key_of_another' },
    });
    expect(world.broker.submissions).toHaveLength(0);
    expect(await order(body, evidence)).toMatchObject({ status: 201 });
    // Another token of its making, with the same signature: the same order.
    expect(await order(body, evidence)).toMatchObject({ status: 200 });
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('places nothing with what was signed for another order, or for a proposal', async () => {
    const evidence = signed(phone, detailsOf(draft()));
    expect(await order(draft(), evidence)).toMatchObject({
      status: 403,
      body: { code: 'signature_proposal' },
    });
    const { details } = await agent.proposed(buy('5'));
    expect(await order(draft(), signed(phone, details))).toMatchObject({
      status: 403,
      body: { code: 'signature_proposal' },
    });
    const larger = draft();
    const smaller = { ...larger, qty: '1' };
    expect(await order(larger, signed(phone, detailsOf(smaller)))).toMatchObject({
      status: 403,
      body: { code: 'signature_digest' },
    });
    expect(world.broker.submissions).toHaveLength(0);
  });

  it('sends no message', async () => {
    const message: MessageDraft = {
      service: 'slack',
      recipient: '#trading',
      text: 'hello',
      client_message_id: 'ta-00000001',
      expires_at: formatUtcSeconds(Date.now() + 240_000),
    };
    const details = buildMessageSendDetails(message, { gateway: world.url, code: '7K3M' });
    expect(await post('/v1/messages', message, 'messages:write', details)).toMatchObject({
      status: 403,
      body: { code: 'signature_missing' },
    });
    expect(world.broker.requests.filter((one) => one.includes('slack'))).toEqual([]);
    // Signed, it gets as far as the service, which there is none of here.
    const evidence = signed(phone, details);
    await post('/v1/messages', message, 'messages:write', details, evidence);
    expect(world.broker.requests.filter((one) => one.includes('slack'))).not.toEqual([]);
  });
});

it('a decision written into the provider’s database places no order', { timeout: 60_000 }, async () => {
  const sandbox = await startProposalWorld();
  try {
    const alice = await sandbox.as('alice');
    const { id } = await alice.propose({ kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '5' } });
    const database = new Database(join(sandbox.folder, 'sandbox', 'identity-provider.db'));
    const forged = database
      .prepare(`UPDATE approval_requests SET decision = 'approve', decided_at = ? WHERE decision IS NULL`)
      .run(Date.now());
    database.close();
    expect(forged.changes).toBe(1);
    await sandbox.restart();
    expect(await alice.until(id, 'blocked')).toMatchObject({ reason: { code: 'signature_missing' } });
    expect(sandbox.sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id))).toEqual([]);
  } finally {
    await sandbox.close();
  }
});
