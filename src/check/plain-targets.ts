import { shareForm } from '../trading/symbol.ts';
import { fitTogether, fractionOf, percentForm } from './rules-schema.ts';

/** Lines that can only be a part of the file's own keys: comments, and keys with a word each. */
const BEFORE = '(?:(?:#[^\\n]*|[a-z_]+: [\\w.%-]+)?\\n)*';
/** A symbol and a percentage, which YAML reads as these two texts, and the schema as right. */
const LINE = ` {2}(?:cash|${shareForm.source}): ${percentForm.source}\\n`;
const plainTargets = new RegExp(`^(${BEFORE})targets:\\n((?:${LINE})+)(?![ ])`);

/** Symbols that YAML takes for something else than their letters. */
const NO_TEXT = ['NULL', 'TRUE', 'FALSE'];

/** A rules file without its targets, and these. */
export interface PlainTargets {
  /** With an empty map in their place. */
  readonly rest: string;
  /** As the schema has them: fractions, which fit together. */
  readonly targets: Readonly<Record<string, string>>;
}

/**
 * Takes the targets out of a rules file where they are written as nearly all are, a line each: YAML's reader and the schema
 * take as long for a thousand of them as a tenth of the whole check. Undefined where they are written in any other way, or
 * are wrong: then these have the word.
 */
export function takePlainTargets(text: string): PlainTargets | undefined {
  const found = plainTargets.exec(text);
  if (found === null) return undefined;
  const [whole, before = '', block = ''] = found;
  const lines = block.trimEnd().split('\n');
  const targets: Record<string, string> = {};
  for (const line of lines) {
    const end = line.indexOf(':');
    const symbol = line.slice(2, end);
    if (Object.hasOwn(targets, symbol) || NO_TEXT.includes(symbol)) return undefined;
    targets[symbol] = fractionOf(line.slice(end + 2));
  }
  if (!fitTogether(targets)) return undefined;
  return { rest: `${before}targets: {}\n${text.slice(whole.length)}`, targets };
}
