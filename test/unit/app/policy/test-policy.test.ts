import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runPolicyCases } from '../../../../src/app/policy/policy-cases.ts';
import type { GatewayClient } from '../../../../src/tools/gateway/gateway-client.ts';
import { policyView } from './policy-view.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-cases-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const nobody = {
  gateway: async (): Promise<GatewayClient> => {
    throw new Error('nobody is to be asked');
  },
};
const limits = 'limits: {version: 1, accounts: {"*": {max_order_notional: "1000", max_position_weight: "0.25"}}}';

async function run(cases: string, head = limits, app: Parameters<typeof runPolicyCases>[0] = nobody) {
  const file = join(folder, 'cases.yaml');
  writeFileSync(file, `version: 1\n${head}\ncases:\n${cases}`);
  return runPolicyCases(app, file);
}
const outcomes = async (...given: Parameters<typeof run>) =>
  (await run(...given)).cases.map(({ ok, effect, reasons }) => [ok, effect, ...reasons]);

describe('a file of cases', () => {
  it('is decided about without anybody, a sentence or an order’s fields, by facts of a quiet morning', async () => {
    expect(
      await outcomes(`
  - {name: at the limit, order: buy 5 AAPL limit 200, facts: {market: {price: "200"}}, expect: ask}
  - {name: a cent more, order: buy 5 AAPL limit 200.01, facts: {market: {price: "200"}}, expect: deny, reasons: [NOTIONAL_EXCEEDS_MAX_PER_ORDER]}
  - {name: tapped, order: {symbol: AAPL, side: buy, qty: "5", type: limit, limit_price: "100"}, approval: tap, expect: allow}
  - {name: much of it, order: buy 5 AAPL limit 100, facts: {holdings: {equity: "1000"}}, expect: deny}
  - {name: unknown, order: buy 5 AAPL limit 100, facts: {holdings: null}, expect: deny, reasons: [FACT_UNAVAILABLE]}
`),
    ).toEqual([
      [true, 'ask', 'APPROVAL_MISSING'],
      [true, 'deny', 'NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
      [true, 'allow'],
      [true, 'deny', 'POSITION_EXCEEDS_MAX_WEIGHT'],
      [true, 'deny', 'FACT_UNAVAILABLE'],
    ]);
  });

  it('can say by whose word somebody comes', async () => {
    mkdirSync(join(folder, 'policies'));
    writeFileSync(
      join(folder, 'policies', 'acme.cedar'),
      `@id("mine") forbid (principal, action in Action::"trade", resource)
       when { principal has org && principal.org == "acme" }
       unless { principal has groups && principal.groups.contains("traders") };`,
    );
    const told = (facts: string) => `{more: {proposer.org: acme${facts}}}`;
    expect(
      await outcomes(
        `
  - {name: a trader, order: buy 1 AAPL, facts: ${told(', proposer.groups: [traders]')}, expect: ask}
  - {name: nobody's, order: buy 1 AAPL, expect: ask}
  - {name: of no group, order: buy 1 AAPL, facts: ${told('')}, expect: deny, reasons: [POLICY_FORBIDS]}
`,
        'policies: policies',
      ),
    ).toEqual([
      [true, 'ask', 'APPROVAL_MISSING'],
      [true, 'ask', 'APPROVAL_MISSING'],
      [true, 'deny', 'POLICY_FORBIDS'],
    ]);
  });

  it('says which come out otherwise: in what is decided, or why', async () => {
    expect(
      await outcomes(`
  - {name: passes, order: buy 1 AAPL limit 100, expect: deny}
  - {name: for another reason, order: buy 50 AAPL limit 100, expect: deny, reasons: [SYMBOL_DENIED]}
  - {name: for more than said, order: buy 50 AAPL limit 100, expect: deny, reasons: []}
`),
    ).toEqual([
      [false, 'ask', 'APPROVAL_MISSING'],
      [false, 'deny', 'NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
      [false, 'deny', 'NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
    ]);
  });

  it('may name its limits and rules by paths beside it', async () => {
    writeFileSync(join(folder, 'other.yaml'), 'accounts: {"PA9": {max_day_orders: 1}}\n');
    mkdirSync(join(folder, 'rules'));
    writeFileSync(
      join(folder, 'rules/gme.cedar'),
      '@id("no-gme") @code("SYMBOL_DENIED") forbid (principal, action in Action::"trade", resource) when { context.order.symbol == "GME" };',
    );
    expect(
      await outcomes(
        `
  - {name: meme, order: buy 1 GME limit 10, expect: deny, reasons: [SYMBOL_DENIED]}
  - {name: second, order: buy 1 VTI limit 10, facts: {counted: {day_orders: 1}}, expect: deny, reasons: [ORDERS_EXCEED_MAX_PER_DAY]}
`,
        'account: PA9\nlimits: other.yaml\npolicies: rules\nfacts: {environment: live}',
      ),
    ).toEqual([
      [true, 'deny', 'SYMBOL_DENIED'],
      [true, 'deny', 'ORDERS_EXCEED_MAX_PER_DAY'],
    ]);
  });

  it('is run against the rules in force where it names none', async () => {
    const app = { gateway: async () => ({ policy: async () => policyView }) as unknown as GatewayClient };
    const { policy, cases } = await run(
      '  - {name: too much, order: buy 11 AAPL limit 100, expect: deny, reasons: [NOTIONAL_EXCEEDS_MAX_PER_ORDER]}',
      '',
      app,
    );
    expect(cases).toMatchObject([{ ok: true }]);
    expect(policy).toHaveLength(43);
  });

  const odd = (fields: string) => `  - {name: odd, ${fields}}`;
  it.each([
    ['an order that is none', odd('order: what do I own, expect: ask'), 'case "odd"'],
    ['a sentence that nobody understands', odd('order: buy low, expect: ask'), 'case "odd"'],
    ['an unknown reason', odd('order: buy 1 AAPL, expect: deny, reasons: [NOPE]'), 'reasons'],
    ['an unknown fact', odd('order: buy 1 AAPL, facts: {countd: {}}, expect: ask'), 'countd'],
    ['no cases', '  []', 'cases'],
  ])('is refused with %s, saying where', async (_, cases, said) => {
    await expect(run(cases)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(said),
    });
  });
});
