import { patterns } from './patterns.mjs';
import { textsIn } from './texts.mjs';

/** @returns what a file says that `patterns` ban: the kind of text, its line, the words found, and the pattern's row */
export function findingsIn(file) {
  return textsIn(file).flatMap(({ kind, line, text }) =>
    patterns.flatMap(({ pattern, instead, where }) => {
      const found = where.includes(kind) ? pattern.exec(text) : null;
      return found === null ? [] : [{ kind, line, found: found[0], pattern, instead }];
    }),
  );
}
