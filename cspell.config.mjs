// Spelling: American English, the terms of docs/GLOSSARY.md, and the names in scripts/english/words.txt.
import { readFileSync } from 'node:fs';

const page = (file) => readFileSync(new URL(file, import.meta.url), 'utf8');

export default {
  version: '0.2',
  language: 'en-US',
  files: ['src/**/*.{ts,tsx}', 'scripts/**/*.mjs', 'docs/**/*.md', '*.md'],
  ignorePaths: [
    // Company names.
    'src/trading/listed-symbols.ts',
    'scripts/english',
    'docs/reference/schema',
  ],
  words: [...(page('docs/GLOSSARY.md').match(/[A-Za-z]{4,}/g) ?? []), ...page('scripts/english/words.txt').split('\n')],
  // Misspelled on purpose, in examples and patterns, or in a library's code that the build edits.
  ignoreWords: ['eoder', 'isuer', 'finalise', 'licen', 'unrealised', 'dont', 'delte', 'doesn'],
  ignoreRegExpList: [
    // Keys, digests, tokens, symbols and constants of other programs are not words.
    '/[A-Za-z0-9+/_=-]{20,}/g',
    '/\\b[A-Z][A-Z0-9_]{2,}s?\\b/g',
    '/\\b[0-9a-f]{6,}\\b/g',
    'Urls',
    'Email',
    'Base64',
  ],
};
