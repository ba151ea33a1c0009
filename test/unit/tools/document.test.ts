import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { tools } from '../../../src/tools/catalog.ts';

it('docs/reference/TOOLS.md lists every tool with its scopes, and no other, in the catalog’s order', () => {
  const document = readFileSync(new URL('../../../docs/reference/TOOLS.md', import.meta.url), 'utf8');
  const rows = [...document.matchAll(/^\| `([a-z_]+)` \| (?:`([a-z: ]+)`|–) \|/gm)];
  expect(rows.map(([, name, scopes = '']) => [name, scopes])).toEqual(
    tools.map(({ name, scopes }) => [name, [...scopes].join(' ')]),
  );
});
