import { german } from './languages/german.ts';
import { korean } from './languages/korean.ts';
import type { Language } from './languages/requests.ts';
import { spanish } from './languages/spanish.ts';
import { NotUnderstood } from './words.ts';

const slots: Readonly<Record<string, string>> = {
  qty: '(?<qty>\\d[\\d.,]*)',
  price: '\\$?(?<price>\\d[\\d.,]*)',
  dollars: '\\$(?<dollars>\\d[\\d.,]*)',
  amount: '(?<amount>\\d[\\d.,]*)',
  symbol: '\\$?(?<symbol>[A-Za-z][A-Za-z0-9./&-]*)',
};

interface Pattern {
  readonly english: string;
  readonly pattern: RegExp;
  readonly language: Language;
}

/** Compiled at the first sentence that is not English. */
let patterns: readonly Pattern[] | undefined;

/**
 * The planner's English for a request in another language; undefined if no list has it.
 * @throws {NotUnderstood} for an ambiguous number
 */
export function translated(text: string): string | undefined {
  patterns ??= [german, spanish, korean].flatMap(patternsOf);
  const clause = ` ${text
    .normalize('NFC')
    .replace(/^[¿¡]\s*/u, '')
    .replace(/\s+/g, ' ')
    .replace(/\$\s+(?=\d)/g, '$')}`;
  for (const { english, pattern, language } of patterns) {
    const found = pattern.exec(clause);
    if (found === null) continue;
    const { groups } = found;
    return english.replace(/\{(\w+)\}/g, (_, slot: string) => {
      if (slot === 'symbol') return groups?.symbol ?? '';
      if (slot !== 'money') return plainNumber(groups?.[slot] ?? '', language);
      return `$${plainNumber(groups?.dollars ?? groups?.amount ?? '', language)}`;
    });
  }
  return undefined;
}

function patternsOf(language: Language): Pattern[] {
  return language.requests.flatMap(([english, ...said]) =>
    said.map((template) => ({ english, pattern: patternOf(template), language })),
  );
}

function patternOf(template: string): RegExp {
  const source = template.split(' ').map((token) => {
    const isOptional = token.endsWith('?');
    const either = token
      .replace(/\?$/, '')
      .split('|')
      .map((word) =>
        word.replace(/[$.*+^()[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, (_, slot: string) => slots[slot] ?? ''),
      )
      .join('|');
    return isOptional ? `(?: (?:${either}))?` : ` (?:${either})`;
  });
  return new RegExp(`^${source.join('')}$`, 'iu');
}

/** A point or comma may separate thousands or decimals. */
function plainNumber(written: string, { groupsByPoint }: Language): string {
  if (!groupsByPoint || /^\d+$/.test(written)) return written;
  if (/^\d+[.,]\d{1,2}$/.test(written)) return written.replace(',', '.');
  const one = written.replace(/[.,]/g, '');
  throw new NotUnderstood(
    `I can't tell whether "${written}" has thousands or decimals.`,
    `Write it without points and commas, as in ${one}, or with two decimals, as in 12.50.`,
    'invalid_order',
  );
}
