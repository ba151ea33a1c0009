import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

it('every code that the gateway refuses with is in its document', () => {
  const sources = globSync('src/{gateway,approval}/**/*.ts', { cwd: root }).map(read).join('\n');
  const codes = [
    ...sources.matchAll(/(?:Refusal|notApproved)\(\s*(?:kind,\s*)?(?:\d{3},\s*)?'([a-z_]+)'/g),
  ].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(60);
  const document = read('docs/GATEWAY.md');
  expect([...new Set(codes)].filter((code) => !document.includes(code ?? ''))).toEqual([]);
});
