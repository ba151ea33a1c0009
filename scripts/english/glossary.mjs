import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

/** A noun that fewer names use is a detail of one place. */
const NAMES = 3;

/**
 * Finds the nouns of the field in exported names that docs/GLOSSARY.md does not define. A word that is ordinary English or
 * every programmer's vocabulary is in ordinary-words.txt.
 */
export function missingNouns(
  root,
  files = globSync('src/**/*.{ts,tsx}', { cwd: root }).map((file) => join(root, file)),
) {
  const known = new Set([...glossaryWords(root), ...ordinaryWords(root)].flatMap((word) => [word, singular(word)]));
  const names = new Map();
  for (const file of files)
    for (const name of exportedNames(file))
      for (const word of wordsOf(name)) names.set(word, (names.get(word) ?? new Set()).add(name));
  return [...names]
    .filter(([word, its]) => its.size >= NAMES && !known.has(word) && !known.has(singular(word)))
    .map(([word, its]) => ({ word, names: [...its].slice(0, 5) }));
}

/** The terms, and the words that a term's meaning defines *in italics*. */
function glossaryWords(root) {
  const rows = readFileSync(join(root, 'docs/GLOSSARY.md'), 'utf8').matchAll(/^\| ([^|]+) \| ([^|]+) \|/gm);
  return [...rows].flatMap(([, term, meaning]) =>
    [term, ...(meaning.match(/\*[^*]+\*/g) ?? [])].flatMap((text) => text.toLowerCase().match(/[a-z]+/g) ?? []),
  );
}

function ordinaryWords(root) {
  return readFileSync(join(root, 'scripts/english/ordinary-words.txt'), 'utf8').split(/\s+/);
}

function exportedNames(file) {
  const { program } = parseSync(file, readFileSync(file, 'utf8'));
  return program.body.flatMap(({ type, declaration }) => {
    if (type !== 'ExportNamedDeclaration' || declaration == null) return [];
    const names = declaration.id ? [declaration.id] : (declaration.declarations ?? []).map(({ id }) => id);
    return names.flatMap(({ name }) => (name === undefined ? [] : [name]));
  });
}

function wordsOf(name) {
  return (
    name
      .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
      .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
      .toLowerCase()
      .match(/[a-z]{2,}/g) ?? []
  );
}

const singular = (word) =>
  word
    .replace(/ies$/, 'y')
    .replace(/(?<=[^s])s$/, '')
    .replace(/ing$/, '');
