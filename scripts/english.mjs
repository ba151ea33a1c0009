// Finds words and forms that a native reader stumbles over, in the comments and strings of `src`, and in the pages:
//   node scripts/english.mjs [FILE…]
// Exits with 1 where it finds one. The words are in english/patterns.mjs; a new noun in an exported name goes into docs/GLOSSARY.md.
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findingsIn } from './english/findings.mjs';
import { missingNouns } from './english/glossary.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = ['src/**/*.{ts,tsx}', 'docs/**/*.md', 'README.md'];

const named = process.argv.slice(2);
const files =
  named.length > 0
    ? named
    : globSync(SOURCES, { cwd: root })
        .sort()
        .map((file) => join(root, file));

let findings = 0;
for (const file of files)
  for (const { kind, line, found, instead } of findingsIn(file)) {
    findings += 1;
    console.log(`${file}:${line}: "${found}" in a ${kind}; write ${instead}`);
  }
const nouns = named.length > 0 ? [] : missingNouns(root);
for (const { word, names } of nouns) console.log(`docs/GLOSSARY.md does not define "${word}" (${names.join(', ')})`);
console.log(`English: ${findings} findings in ${files.length} files, ${nouns.length} nouns missing from the glossary`);
process.exitCode = findings + nouns.length > 0 ? 1 : 0;
