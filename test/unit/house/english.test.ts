import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
// @ts-expect-error a script: it has no types
import { catalogs } from '../../../scripts/english/catalog.mjs';
// @ts-expect-error a script: it has no types
import { findingsIn } from '../../../scripts/english/findings.mjs';
// @ts-expect-error a script: it has no types
import { missingNouns } from '../../../scripts/english/glossary.mjs';
// @ts-expect-error a script: it has no types
import { patterns } from '../../../scripts/english/patterns.mjs';
import { root } from './sources.ts';

interface Pattern {
  readonly pattern: RegExp;
  readonly example: string;
  readonly where: string[];
}

const folder = mkdtempSync(join(tmpdir(), 'english-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A source that says `text` in a comment, or in a string. */
function planted(text: string, kind: string): string {
  const file = join(folder, 'planted.ts');
  const source =
    kind === 'comment' ? `/** ${text} */\nexport const a = 1;\n` : `export const a = ${JSON.stringify(text)};\n`;
  writeFileSync(file, source);
  return file;
}

describe('the lint of the English', () => {
  it.each(patterns as Pattern[])('catches "$example"', ({ example, where, pattern }) => {
    for (const kind of where.filter((kind) => kind !== 'prose'))
      expect(findingsIn(planted(example, kind))).toContainEqual(expect.objectContaining({ kind, pattern }));
    expect(findingsIn(planted('Returns the account. Waits for the approval.', 'comment'))).toEqual([]);
  });

  it('catches a noun in an exported name that the glossary does not define', () => {
    const source = join(folder, 'noun.ts');
    writeFileSync(source, 'export interface GizmoRow {}\nexport const gizmoName = 1;\nexport class Gizmo {}\n');
    expect(missingNouns(root, [source]).map(({ word }: { word: string }) => word)).toContain('gizmo');
  });
});

it.each([...catalogs()] as [name: string, text: string][])(
  'docs/reference/strings/%s has what people read (npm run strings writes it)',
  (name, text) => {
    expect(readFileSync(join(root, 'docs/reference/strings', name), 'utf8')).toBe(text);
  },
);
