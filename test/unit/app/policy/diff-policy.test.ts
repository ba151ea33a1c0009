import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diffPolicy } from '../../../../src/app/policy/diff-policy.ts';
import { buildDecisionFacts } from '../../../../src/app/policy/policy-cases.ts';
import type { GatewayClient } from '../../../../src/tools/gateway/gateway-client.ts';
import type { PolicyView, RecordedDecision } from '../../../../src/trading/policy-views.ts';
import { policyView } from './policy-view.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-diff-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

let next = 0;
const past = (order: string, changes: Partial<RecordedDecision> = {}): RecordedDecision => ({
  at: '2026-11-25T15:00:00.000Z',
  id: ++next,
  client_order_id: `ta-${next}`,
  sub: 'alice',
  client: 'trade-agent',
  account: 'PA3ALICE01',
  action: 'place',
  stage: 'order',
  effect: 'allow',
  reasons: [],
  texts: [],
  policy: 'A'.repeat(43),
  facts: {
    ...buildDecisionFacts({ name: 'past', order, approval: 'none', facts: {}, expect: 'ask' }, {}, 'PA3ALICE01'),
  },
  ...changes,
});

const app = (decisions: readonly RecordedDecision[] = [], view: Partial<PolicyView> = {}) => ({
  gateway: async () =>
    ({
      policy: async () => ({ ...policyView, ...view }),
      decisions: async () => decisions,
    }) as unknown as GatewayClient,
});
const limits = (text: string) => write('limits.yaml', `version: 1\naccounts: {${text}}\n`);
const noGme =
  '@id("no-gme") forbid (principal, action in Action::"trade", resource) when { context.order.symbol == "GME" };\n';

describe('other rules, compared with those in force,', () => {
  it('are told line by line, looser ones first', async () => {
    const file = limits('"*": {max_order_notional: "500"}');
    expect(await diffPolicy(app(), file, { replay: false })).toEqual({
      account: 'PA3ALICE01',
      policy: policyView.digest,
      tighter: false,
      changes: ['looser: Orders per day 20 → not limited', 'tighter: Maximum per order $1,000.00 → $500.00'],
      replayed: null,
      flips: [],
    });
  });

  it('may be a file of rules beside those there are, or a folder instead of them', async () => {
    const view = { policies: { 'old.cedar': noGme.replaceAll(/gme/gi, 'AMC') } };
    const file = write('gme.cedar', noGme);
    expect((await diffPolicy(app([], view), file, { replay: false })).changes).toEqual([
      'tighter: rule policies/no-gme added',
    ]);
    write('whole/policies/gme.cedar', noGme);
    write('whole/limits.yaml', 'accounts: {"PA3ALICE01": {max_order_notional: "1000", max_day_orders: 20}}\n');
    expect((await diffPolicy(app([], view), join(folder, 'whole'), { replay: false })).changes).toEqual([
      'looser: rule policies/no-AMC removed',
      'tighter: rule policies/no-gme added',
    ]);
  });

  it('are said to be the same where they are', async () => {
    const file = limits('"PA3ALICE01": {max_order_notional: "1000.00", max_day_orders: 20}');
    expect(await diffPolicy(app([past('buy 5 AAPL limit 100')]), file, { replay: true })).toMatchObject({
      tighter: true,
      changes: [],
      replayed: 1,
      flips: [],
    });
  });

  it('replayed, name exactly the past orders that would flip, and why', async () => {
    const decisions = [
      past('buy 6 AAPL limit 100'), // refused by the smaller limit
      past('buy 5 AAPL limit 100'), // exactly the smaller limit
      past('buy 20 VTI limit 100', { stage: 'proposal', effect: 'deny' }), // refused by both
      past('sell 4 GME limit 100'),
    ];
    const file = limits('"*": {max_order_notional: "500", max_day_orders: 20, symbols: {deny: [GME]}}');
    const { replayed, flips } = await diffPolicy(app(decisions), file, { replay: true });
    expect(replayed).toBe(4);
    expect(flips).toEqual([
      {
        at: '2026-11-25T15:00:00.000Z',
        id: decisions[0]?.client_order_id,
        order: 'BUY 6 AAPL limit',
        before: 'allow',
        after: 'deny',
        reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
      },
      {
        at: '2026-11-25T15:00:00.000Z',
        id: decisions[3]?.client_order_id,
        order: 'SELL 4 GME limit',
        before: 'allow',
        after: 'deny',
        reasons: ['SYMBOL_DENIED'],
      },
    ]);
  });

  it('replayed, name what would be let pass that was not', async () => {
    const refused = past('buy 20 AAPL limit 100', { stage: 'proposal', effect: 'deny' });
    const file = limits('"*": {max_order_notional: "5000", max_day_orders: 20}');
    expect((await diffPolicy(app([refused]), file, { replay: true })).flips).toMatchObject([
      {
        id: refused.client_order_id,
        before: 'deny',
        after: 'allow',
        reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
      },
    ]);
  });

  it('replayed, look at the last word about each order, and at nothing they can’t read', async () => {
    const tapped = past('buy 6 AAPL limit 100');
    const asked = { ...tapped, stage: 'proposal' as const };
    const unread = past('buy 6 AAPL limit 100', { facts: { of: 'another version' } });
    const file = limits('"*": {max_order_notional: "500", max_day_orders: 20}');
    const { replayed, flips } = await diffPolicy(app([tapped, asked, unread]), file, { replay: true });
    expect([replayed, flips.map(({ id }) => id)]).toEqual([1, [tapped.client_order_id]]);
  });

  it.each([
    ['limits that are wrong', () => limits('"*": {max_ordr_notional: "5"}'), 'max_ordr_notional'],
    ['a rule that is wrong', () => write('a.cedar', 'forbid'), 'a.cedar'],
    ['nothing', () => join(folder, 'none.yaml'), 'no limits file'],
    ['a folder of something else', () => folder, 'neither limits.yaml nor policies/'],
  ])('are refused as %s', async (_, file, said) => {
    await expect(diffPolicy(app(), file(), { replay: false })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(said),
    });
  });

  it('are not compared with limits that this version does not support', async () => {
    const file = limits('"*": {}');
    const newer = app([], { limits: { max_moon_phase: 3 } });
    await expect(diffPolicy(newer, file, { replay: false })).rejects.toMatchObject({
      code: 'gateway_refused',
    });
  });
});
