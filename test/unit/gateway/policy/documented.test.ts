import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildDecisionFacts, runPolicyCases } from '../../../../src/app/policy/policy-cases.ts';
import { loadCedar } from '../../../../src/gateway/policy/cedar/cedar-engine.ts';
import { parseRules } from '../../../../src/gateway/policy/cedar/rule-text.ts';
import { evaluatePolicy } from '../../../../src/gateway/policy/decide.ts';
import type { DecisionFacts } from '../../../../src/gateway/policy/decision.ts';
import { buildRules } from '../../../../src/gateway/policy/files/rules-source.ts';
import { limitTable } from '../../../../src/gateway/policy/limit-table.ts';
import { defaultLimits, limitsSchema } from '../../../../src/gateway/policy/rules.ts';
import { policyReasons } from '../../../../src/trading/policy-reasons.ts';

const document = readFileSync(new URL('../../../../docs/guide/POLICY.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...document.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text = '']) => text);
const section = (heading: string) =>
  new RegExp(`\\n## ${heading}\\n([\\s\\S]*?)(?=\\n## |$)`).exec(document)?.[1] ?? '';
const firstColumn = (text: string) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);

describe('docs/guide/POLICY.md', () => {
  it('has every reason, in the order of the list, and no other', () => {
    expect(firstColumn(section('Reasons'))).toEqual([...policyReasons]);
  });

  it('has every key of limits.yaml, in the table’s order, with its reason', () => {
    const limits = section('Limits');
    expect(firstColumn(limits)).toEqual(Object.keys(limitTable));
    for (const [name, { reason }] of Object.entries(limitTable)) {
      expect(limits).toMatch(new RegExp(`^\\| \`${name}\` \\|.*\`${reason}\``, 'm'));
    }
  });

  it('shows limits that are right, those of a new home among them', () => {
    const [shown = ''] = blocks('yaml');
    const limits = limitsSchema.parse(parse(shown));
    expect(limits.accounts['*']).toEqual(defaultLimits().accounts['*']);
    // Every key, so that nobody has to guess how one is written.
    const keys = Object.values(limits.accounts).flatMap((account) => Object.keys(account));
    const left = Object.keys(limitTable).filter((key) => !keys.includes(key));
    expect(left).toEqual(['max_order_qty']);
  });

  it('shows a file of cases that come out as it says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trade-agent-docs-'));
    try {
      const file = join(folder, 'policy-tests.yaml');
      writeFileSync(file, blocks('yaml')[1] ?? '');
      const app = { gateway: () => Promise.reject(new Error('nobody is to be asked')) };
      const { cases } = await runPolicyCases(app, file);
      expect(cases.length).toBeGreaterThan(2);
      expect(cases.filter(({ ok }) => !ok)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const quiet = (order: string, changes: Parameters<typeof buildDecisionFacts>[1] = {}): DecisionFacts =>
  buildDecisionFacts({ name: order, order, approval: 'tap', facts: changes, expect: 'allow' }, {}, 'PA3ALICE01');
const owner = { sub: 'alice', client: 'cli', owner: 'alice', approval: 'tap', approvers: ['alice'] } as const;

describe('each rule that docs/guide/POLICY.md shows', () => {
  const rules = blocks('cedar');
  const friday = '2026-11-27T15:00:00Z';
  const late = '2026-11-25T20:45:00Z';
  /** By its id: what it forbids, and what it lets pass. */
  const orders: Record<string, { readonly no: DecisionFacts; readonly reason: string; readonly yes: DecisionFacts }> = {
    'no-penny-stocks': {
      no: quiet('buy 5 SIRI limit 4', { market: { price: '4' } }),
      reason: 'SYMBOL_RESTRICTED',
      yes: quiet('buy 5 AAPL limit 100'),
    },
    'quiet-close': {
      no: quiet('buy 5 AAPL limit 100', { at: late }),
      reason: 'HOURS_OUTSIDE_WINDOW',
      yes: quiet('sell 5 AAPL limit 100', { at: late }),
    },
    'alice-no-options-on-fridays': {
      no: quiet('buy 5 AAPL limit 100', { at: friday }),
      reason: 'POLICY_FORBIDS',
      yes: { ...quiet('buy 5 AAPL limit 100', { at: friday }), account: 'PA3BOB0001' },
    },
    'large-by-limit': {
      no: quiet('buy 6 AAPL'),
      reason: 'TYPE_NOT_ALLOWED',
      yes: quiet('buy 6 AAPL limit 100'),
    },
  };

  it('is one of those that are tried here', () => {
    const ids = rules.flatMap((text) => [...text.matchAll(/@id\("([^"]+)"\)/g)].map(([, id]) => id));
    expect(ids.sort()).toEqual(Object.keys(orders).sort());
  });

  it.each(Object.entries(orders))('%s is right, and forbids what it says', async (id, { no, reason, yes }) => {
    const text = rules.find((rule) => rule.includes(`@id("${id}")`)) ?? '';
    const texts = [{ origin: 'policies', file: `${id}.cedar`, text }] as const;
    expect(parseRules(await loadCedar(), texts)).toMatchObject([{ id: `policies/${id}`, effect: 'forbid', reason }]);
    const made = await buildRules({ limits: undefined, texts }, await loadCedar());
    expect(evaluatePolicy(made, owner, 'place', no)).toMatchObject({ effect: 'deny', reasons: [reason] });
    expect(evaluatePolicy(made, owner, 'place', yes)).toMatchObject({ effect: 'allow' });
  });

  it('stands together with the others', async () => {
    const texts = rules.map((text, index) => ({ origin: 'policies' as const, file: `${index}.cedar`, text }));
    expect(parseRules(await loadCedar(), texts)).toHaveLength(rules.length);
  });
});
