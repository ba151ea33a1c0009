import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStaticRulesSource } from '../../../src/gateway/policy/rules.ts';
import { buildTradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { MCP_CLIENT_PREFIX } from '../../../src/trading/proposal.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import { type Agent, type ForeignWorld, startForeignWorld } from './foreign-world.ts';

/** AAPL and MSFT are at $180; alice holds 40 AAPL. */
const buy = (symbol: string, qty: number, more: object = {}) => ({
  kind: 'order',
  order: { symbol, side: 'buy', qty: String(qty), type: 'limit', limit_price: '180.00' },
  ...more,
});
const saysFrom = (source: object) => ({
  provenance: { fields: { symbol: source, side: source, qty: source, type: source, limit_price: source } },
});
const typedByOwner = saysFrom({ source: 'user' });
const forwarded = saysFrom({ source: 'other', from: `${MCP_CLIENT_PREFIX}claude` });

let world: ForeignWorld;
let own: Agent;
let other: Agent;
beforeEach(async () => {
  const accounts = { '*': { number_matching_above: '500' } };
  world = await startForeignWorld({ rules: createStaticRulesSource({ version: 1, accounts }) });
  own = world.agent('alice', 'trade-agent');
  other = world.agent('alice', 'somebody-elses');
});
afterEach(() => world.close());

/** What the owner is asked, where it waits for them. */
async function asked(agent: Agent, body: unknown) {
  const { id } = await agent.proposed(body);
  await expect.poll(() => world.issuer.questions.some(({ details }) => details.proposal === id)).toBe(true);
  const question = world.issuer.questions.find(({ details }) => details.proposal === id);
  const { body: proposal } = await agent.send('GET', `/v1/proposals/${id}`);
  return { id, proposal, details: question?.details ?? {} };
}

describe('the code of another agent’s order', () => {
  it('has to be typed for a symbol that the owner does not know, and the agent is told so', async () => {
    const { proposal, details } = await asked(other, buy('MSFT', 1));
    expect(details).toMatchObject({ code_entry: 'typed', code: proposal.code });
    expect(proposal.code_entry).toBe('typed');
  });

  it('has to be typed above the amount, and not up to it, for a symbol that the owner holds', async () => {
    expect((await asked(other, buy('AAPL', 3))).details.code_entry).toBe('typed');
    const { details, proposal } = await asked(other, buy('AAPL', 2));
    expect(details).not.toHaveProperty('code_entry');
    expect(proposal).not.toHaveProperty('code_entry');
  });

  it('has to be typed where our own client only forwards the order', async () => {
    expect((await asked(own, buy('MSFT', 1, forwarded))).details.code_entry).toBe('typed');
  });

  it('is only compared where the order is the owner’s own', async () => {
    expect((await asked(own, buy('MSFT', 5, typedByOwner))).details).not.toHaveProperty('code_entry');
  });

  it('is only compared once the owner has named the symbol in their own words', async () => {
    await asked(own, buy('MSFT', 5, typedByOwner));
    expect((await asked(other, buy('MSFT', 1))).details).not.toHaveProperty('code_entry');
  });

  it('is only compared once the owner has traded the symbol', async () => {
    const { id } = await asked(other, buy('MSFT', 1));
    await world.decide(id, 'approve');
    expect(await other.ended(id)).toMatchObject({ state: 'executed' });
    expect((await asked(other, buy('MSFT', 2))).details).not.toHaveProperty('code_entry');
  });

  it('has to be typed after an order of another agent that was denied', async () => {
    const { id } = await asked(other, buy('MSFT', 1));
    await world.decide(id, 'deny');
    await other.ended(id);
    world.advance(3_600_000);
    expect((await asked(other, buy('MSFT', 2))).details.code_entry).toBe('typed');
  });
});

describe('that the code has to be typed', () => {
  it('can’t be stripped from the approved details', async () => {
    const { id, details } = await asked(other, buy('MSFT', 1));
    const { code_entry: _, ...stripped } = details;
    await world.decide(id, 'approve', { authorization_details: [stripped] });
    expect(await other.ended(id)).toMatchObject({
      state: 'blocked',
      reason: { code: 'details_mismatch', text: 'the approved details differ from the request in code_entry' },
    });
    expect(world.broker.book).toHaveLength(0);
  });

  it('can’t be stripped from the row, because the digest covers it', async () => {
    const { id, details } = await asked(other, buy('MSFT', 1));
    world.database.exec(`UPDATE proposals SET shown = json_remove(shown, '$.codeEntry')`);
    const { code_entry: _, ...stripped } = details;
    await world.decide(id, 'approve', { authorization_details: [stripped] });
    expect(await other.ended(id)).toMatchObject({ state: 'blocked' });
    expect(world.broker.book).toHaveLength(0);
  });

  it('is refused at a provider that can’t have it typed, with the rule’s name', async () => {
    world.issuer.takesTypedCodes = false;
    const answer = await other.propose(buy('MSFT', 1), 'k');
    expect(answer.status).toBe(201);
    const ended = await other.ended(String(answer.body.id));
    expect(ended).toMatchObject({ state: 'blocked', reason: { code: 'provider_error' } });
    expect(JSON.stringify(ended.reason)).toContain('number_matching_above');
    expect(world.issuer.questions).toHaveLength(0);
    expect((await asked(other, buy('AAPL', 1))).details).not.toHaveProperty('code_entry');
  });

  it('can’t be avoided by an approval that the client requests by itself', async () => {
    const place = async (qty: string, symbol: string, jti: string) => {
      const draft = anOrderDraft({ symbol, qty, type: 'limit', limit_price: '180.00', client_order_id: `ta-${jti}` });
      const details = buildTradeOrderDetails(draft, { gateway: world.url });
      const claims = { jti, authorization_details: [details] };
      return await world
        .agent('alice', 'somebody-elses', 'openid orders:write', claims)
        .send('POST', '/v1/orders', draft);
    };
    for (const [qty, symbol] of [
      ['1', 'MSFT'],
      ['3', 'AAPL'],
    ] as const) {
      expect(await place(qty, symbol, `direct-${symbol}`)).toMatchObject({
        status: 403,
        body: { code: 'policy_denied', reason: 'APPROVAL_NEEDS_CODE' },
      });
    }
    expect(world.broker.book).toHaveLength(0);
    expect(await place('2', 'AAPL', 'direct-small')).toMatchObject({ status: 201 });
  });
});
