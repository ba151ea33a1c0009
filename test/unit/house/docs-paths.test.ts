import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const documents = globSync(['*.md', 'docs/**/*.md', 'src/**/README.md', '.github/**/*.md'], { cwd: root });

/** `gateway/auth/authenticator.ts`, `test/e2e/world.ts`: what stands in backticks or behind a link and ends as a file of ours does. */
const path = /`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|tsx|mjs|md))`|\]\(((?!https?:)[^)#\s]+)[^)]*\)/g;

/** The paths a document names that lead nowhere: from the root, from src/, or from the document's own folder. */
function dangling(document: string, text: string): string[] {
  const places = [root, join(root, 'src'), join(root, dirname(document))];
  return [...text.matchAll(path)]
    .map(([, quoted, linked]) => quoted ?? linked ?? '')
    .filter((name) => !places.some((place) => existsSync(join(place, name))));
}

describe('a path that a document names', () => {
  it.each(documents.filter((name) => name !== 'CHANGELOG.md'))('leads to a file: %s', (document) => {
    expect(dangling(document, readFileSync(join(root, document), 'utf8'))).toEqual([]);
  });

  it('is found out where it leads nowhere', () => {
    expect(dangling('docs/X.md', 'see `gateway/no-such-file.ts`, [that](NOWHERE.md), `bin/trade-agent.js`')).toEqual([
      'gateway/no-such-file.ts',
      'NOWHERE.md',
    ]);
  });
});
