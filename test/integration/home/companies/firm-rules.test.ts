import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createFolderRulesSource } from '../../../../src/gateway/policy/files/rules-source.ts';
import { formatUtcSeconds } from '../../../../src/machine/clock.ts';
import { linesIn } from '../../../fixtures/record-lines.ts';
import { startProposalWorld } from '../../approval/world.ts';
import { companyOfTests, newClient, startIssuer } from './company-issuer.ts';
import { companyPerson } from './company-person.ts';

/* What a firm's own rules, which nobody can change from afar, make of whose word somebody comes by. */

const NOT_A_TRADER = 'of Acme’s people its traders alone propose orders';

const FIRM = `@id("traders-alone")
@message("of Acme’s people its traders alone propose orders")
forbid (principal, action in Action::"trade", resource)
when { principal has org && principal.org == "acme" }
unless { principal has groups && principal.groups.contains("traders") };

@id("tesla-by-acme")
@message("TSLA is traded by Acme’s people alone")
forbid (principal, action in Action::"trade", resource)
when { context.order.symbol == "TSLA" }
unless { principal has org && principal.org == "acme" };

@id("no-robots")
@message("this agent trades nothing")
forbid (principal, action in Action::"trade", resource)
when { context has act && context.act == "robot" };
`;

const acme = await startIssuer();
const client = await newClient('agent-acme');
const folder = mkdtempSync(join(tmpdir(), 'firm-rules-'));
mkdirSync(join(folder, 'firm'), { mode: 0o700 });
writeFileSync(join(folder, 'firm', 'acme.cedar'), FIRM, { mode: 0o600 });
const world = await startProposalWorld({
  companies: [companyOfTests(acme.issuer, client)],
  rules: await createFolderRulesSource(folder),
  credentials: 'key_pair',
});
await world.as('alice');
afterAll(async () => {
  await world.close();
  await acme.close();
  rmSync(folder, { recursive: true, force: true });
});

const by = (claims: object = {}) => companyPerson(world.sandbox.ready, acme, client, claims);
const order = (symbol: string) => ({
  kind: 'order',
  order: { symbol, side: 'buy', qty: '1', type: 'market', time_in_force: 'day' },
});
const record = (proposal: unknown) =>
  linesIn(join(world.folder, 'sandbox', 'gateway.db')).filter((line) => line.proposal === proposal);
const decisions = async (query = '') => {
  const alice = await world.as('alice');
  const { body } = await alice.send('GET', `/v1/decisions${query}`);
  return body.decisions as { effect: string; client: string; reasons: string[]; facts: { more: object } }[];
};

describe('a firm’s rule', () => {
  it('refuses a proposal by who is in none of its groups, and lets another’s be asked', async () => {
    const staff = await (await by({ groups: ['staff'] })).send('POST', '/v1/proposals', order('AAPL'));
    expect(staff).toMatchObject({
      status: 403,
      body: { code: 'policy_denied', reasons: ['POLICY_FORBIDS'], detail: NOT_A_TRADER },
    });
    const nobody = await (await by({ groups: undefined })).send('POST', '/v1/proposals', order('AAPL'));
    expect(nobody.body).toMatchObject({ detail: NOT_A_TRADER });
    const trader = await (await by()).send('POST', '/v1/proposals', order('AAPL'));
    expect(trader).toMatchObject({
      status: 201,
      body: { state: expect.stringMatching(/drafted|requested/) },
    });
  });

  it('holds when the order is carried out as it did before the person was asked', async () => {
    const alice = await world.as('alice');
    const own = await alice.send('POST', '/v1/proposals', order('TSLA'), { 'idempotency-key': 'own-tsla' });
    expect(own.body).toMatchObject({ detail: 'TSLA is traded by Acme’s people alone' });
    const agent = await by({ act: { sub: 'agent-7' } });
    const { body } = await agent.send('POST', '/v1/proposals', order('TSLA'));
    await alice.tap(String(body.code));
    await alice.until(String(body.id), 'executed');

    await expect
      .poll(() => record(body.id).map(({ event }) => event))
      .toEqual(['proposed', 'requested', 'approved', 'executing', 'executed']);
    const lines = record(body.id);
    for (const line of lines) {
      expect(line).toMatchObject({
        ...{ sub: 'alice', client: client.id, org: 'acme', company: acme.issuer, act: 'agent-7' },
        groups: ['traders', 'staff'],
      });
    }
    expect(JSON.stringify(lines)).not.toContain('eyJ');
    const [decided] = await decisions('?effect=allow');
    expect(decided).toMatchObject({
      effect: 'allow',
      client: client.id,
      facts: {
        more: {
          'proposer.org': 'acme',
          'proposer.company': acme.issuer,
          'proposer.groups': ['traders', 'staff'],
          'proposer.act': 'agent-7',
        },
      },
    });
  });

  it('can name who acts, whom the record of the refusal names', async () => {
    const robot = await by({ act: { client_id: 'robot' } });
    expect((await robot.send('POST', '/v1/proposals', order('AAPL'))).body).toMatchObject({
      detail: 'this agent trades nothing',
    });
    const [refused] = await decisions('?effect=deny');
    expect(refused).toMatchObject({
      reasons: ['POLICY_FORBIDS'],
      facts: { more: { 'proposer.act': 'robot' } },
    });
  });
});

describe('a company’s token', () => {
  it('shows its person whose program asks, and is taken for nobody’s own words', async () => {
    const { body } = await (await by()).send('POST', '/v1/proposals', {
      ...order('NVDA'),
      requested_by: 'somebody they trust',
    });
    const shown = (await world.phone.requests('alice')).find(({ code }) => code === body.code);
    expect(shown?.details).toMatchObject({ requested_by: 'Agent at Acme' });
  });

  it.each([
    ['places nothing under a mandate', { ...order('AAPL'), approval: 'mandate' }],
    [
      'asks for no mandate',
      {
        kind: 'mandate',
        mandate: {
          ...{ symbols: ['PEP'], max_order_notional: '200', max_total_notional: '600', max_orders: 5 },
          expires_at: formatUtcSeconds(Date.now() + 20 * 86_400_000),
        },
      },
    ],
    ['sends no message', { kind: 'message', message: { service: 'slack', recipient: '#trading', text: 'hello' } }],
  ])('%s', async (_, request) => {
    const scope = 'orders:read orders:propose orders:write orders:mandate messages:propose messages:write';
    const { status, body } = await (await by({ scope })).send('POST', '/v1/proposals', request);
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'insufficient_scope' });
  });

  it('is refused at once when its person is removed', async () => {
    const person = await by({ sub: 'u-bob' });
    expect((await person.send('GET', '/v1/orders?limit=1')).status).toBe(200);
    await world.sandbox.people.remove('bob');
    await expect
      .poll(async () => (await person.send('GET', '/v1/orders?limit=1')).body)
      .toMatchObject({ status: 401, code: 'token_revoked' });
  });
});
