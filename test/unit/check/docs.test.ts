import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseRules } from '../../../src/check/load-rules.ts';
import { ruleKinds } from '../../../src/check/rules-schema.ts';

it('docs/guide/CHECKS.md shows rules that are valid, and every kind there is', async () => {
  const text = readFileSync(new URL('../../../docs/guide/CHECKS.md', import.meta.url), 'utf8');
  const [, block = ''] = /```yaml\n(targets:[\s\S]*?)```/.exec(text) ?? [];
  const { rules } = await parseRules(block, 'CHECKS.md');
  expect(new Set(rules.map(({ kind }) => kind))).toEqual(new Set(ruleKinds));
});
