import { shareForm } from '../trading/symbol.ts';
import { fitTogether, fractionOf, percentForm } from './rules-schema.ts';

const BEFORE = '(?:(?:#[^\\n]*|[a-z_]+: [\\w.%-]+)?\\n)*';
/** A symbol and a percentage that YAML reads as text and the schema accepts. */
const LINE = ` {2}(?:cash|${shareForm.source}): ${percentForm.source}\\n`;
const plainTargets = new RegExp(`^(${BEFORE})targets:\\n((?:${LINE})+)(?![ ])`);

/** Symbols that YAML does not read as text. */
const NO_TEXT = ['NULL', 'TRUE', 'FALSE'];

/**
 * Extracts targets written one a line, as nearly all are: for a thousand of them the YAML parser and the schema take
 * a tenth of the whole check. Undefined if they are written otherwise or wrong.
 */
export function takePlainTargets(text: string) {
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
