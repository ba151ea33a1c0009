import { Dec } from '../../trading/decimal.ts';
import { splitAccount } from './account-mention.ts';
import type { Intent } from './intent.ts';
import { parseNumberWords } from './number-words.ts';
import { timeInForceWords } from './order-terms.ts';
import { parseBareSymbols } from './price-sentence.ts';
import { NotUnderstoodError, reservedWords, truncateWord } from './words.ts';

/*
 * A second check, independent of the parser: the plan for a sentence that requests an action must use all of the
 * sentence's tickers, numbers and conditions.
 */

const actKinds: readonly Intent['kind'][] = [
  'order',
  'standing',
  'cancel',
  'replace',
  'rebalance',
  'send',
  'alert',
  'stop_alert',
  'watch',
];

export function requestsAction({ kind }: Intent): boolean {
  return actKinds.includes(kind);
}

/** Intents for which every word of the clause is checked. All other intents match patterns for a whole clause. */
const checkedKinds: readonly Intent['kind'][] = ['order', 'standing', 'cancel', 'replace', 'alert'];

/** Returns whether a clause has only symbols, and possibly an account. */
export function hasOnlySymbols(clause: string): boolean {
  return parseBareSymbols(splitAccount(clause).rest) !== undefined;
}

interface ReadClause {
  readonly clause: string;
  readonly intent: Intent;
}

/** @throws {NotUnderstoodError} with the unused word, if the sentence requests an action */
export function requireAllWordsUsed(read: readonly ReadClause[]): void {
  if (!read.some(({ intent }) => requestsAction(intent))) return;
  for (const { clause, intent } of read) {
    // A clause that is only a ticker, next to an order, may be meant as another order.
    const isChecked = checkedKinds.includes(intent.kind);
    const left = hasOnlySymbols(clause) ? clause : isChecked ? findUnusedWord(clause, intent) : undefined;
    if (left !== undefined) {
      throw new NotUnderstoodError(
        `I don't understand what to do with "${truncateWord(left)}" in this request, so I haven't done anything.`,
        'Give an instruction for each part, as in "buy 5 AAPL and quote MSFT".',
      );
    }
  }
}

function findUnusedWord(clause: string, intent: Intent): string | undefined {
  const { kind, ...said } = intent;
  const values = stringLeaves(said).map((value) => value.toLowerCase());
  return (
    unusedTicker(clause, values) ??
    unusedNumber(clause, values) ??
    (kind === 'alert' ? undefined : unusedCondition(clause, JSON.stringify(said)))
  );
}

function stringLeaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringLeaves) : [];
}

/** Words that are not tickers even in capitals. */
const capitals = new Set(
  (
    'i am pm et est edt ny nyc usd us ok oco oto tp stp bracket etf jan feb mar apr may jun jul aug sep sept oct nov dec ' +
    timeInForceWords.flatMap(([, ...phrases]) => phrases).join(' ')
  ).split(' '),
);

function unusedTicker(clause: string, values: readonly string[]): string | undefined {
  // In an all-caps clause, capitals don't mark tickers.
  if (!/[a-z]/.test(clause)) return undefined;
  const used = new Set(values.flatMap((value) => [value, ...value.split(/[\s/]/)]));
  return wordsOf(clause).find((word) => {
    const ticker = /^\$?([A-Z][A-Z0-9]{0,20}(?:[./][A-Z0-9]{1,4})?)(?:'s)?$/.exec(word)?.[1]?.toLowerCase();
    if (ticker === undefined || ticker.length === 1) return false;
    return !(
      used.has(ticker) ||
      used.has(ticker.replace('/', '.')) ||
      reservedWords.has(ticker) ||
      capitals.has(ticker)
    );
  });
}

const wordsOf = (clause: string) =>
  clause
    .replace(/\$\s+(?=\d)/g, '$')
    .split(/\s+|(?<=@)|(?=@)/)
    .map((word) => word.replace(/^["'(]+|["'),.!?:;]+$/g, ''))
    .filter((word) => word !== '');

function unusedNumber(clause: string, values: readonly string[]): string | undefined {
  const left = values.flatMap((value) => value.match(/\d+(?:\.\d+)?/g) ?? []).map((value) => new Dec(value));
  const words = wordsOf(clause);
  const lower = words.map((word) => word.toLowerCase());
  for (let at = 0; at < words.length; at += 1) {
    const word = lower[at] ?? '';
    const said = parseNumberWords(lower.slice(at, at + 8));
    const count = said?.count ?? 1;
    const after = lower[at + count] ?? '';
    // Skips "one quarter", which is a fraction, and "the 1st", which is the only supported day of the month.
    const isOther = /^quarters?$/.test(after) || (word === '1st' && values.includes('month'));
    if (isOther || values.some((value) => value === word || value.split(' ').includes(word))) continue;
    const numbers = said === undefined ? readNumbers(word, after) : [numberReadings(new Dec(said.value))];
    if (!numbers.every((readings) => useUp(left, readings))) return words.slice(at, at + count).join(' ');
    at += count - 1;
  }
  return undefined;
}

/** Removes the matching number from `left`, so that each number in the plan matches only one number in the sentence. */
function useUp(left: Dec[], readings: readonly Dec[]): boolean {
  return readings.some((reading) => {
    const at = left.findIndex((value) => value.eq(reading));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

const numberReadings = (value: Dec) => [value, value.div(100)];

function readNumbers(word: string, after: string): Dec[][] {
  if (!/^[-+$]*\.?\d/.test(word)) return [];
  const groups = word.replace(/(?<=\d),(?=\d{3})/g, '').match(/\d*\.?\d+/g) ?? [];
  return groups.map((group) => {
    const value = new Dec(group);
    if (/k$/.test(word)) return [value.mul(1_000)];
    if (word.endsWith('%') || /^(?:percent|%)$/.test(after)) return numberReadings(value);
    if (/p\.?m/.test(word) || /^p\.?m/.test(after)) return [value.plus(12), value];
    if (word.includes('/')) return [value, value.plus(2_000)];
    return [value];
  });
}

/**
 * Words that make a sentence conditional, each with a pattern that matches a plan that keeps the condition. The pattern
 * is undefined if no plan can keep the condition.
 */
const conditions: readonly (readonly [RegExp, RegExp | undefined])[] = [
  [/\b(?:if|when|whenever|once|as soon as)\b/i, /"(?:below|above)":/],
  [
    /\b(?:every|weekly|monthly|daily|mondays|tuesdays|wednesdays|thursdays|fridays)\b/i,
    /"every":|"fraction":"1"|"all":true/,
  ],
  [/\b(?:until|till|til|before)\b/i, /"(?:until|before)":|"time_in_force":"gtc"/],
  [/\bor\b/i, /"(?:limit_price|time_in_force|take_profit_limit_price|stop_loss_stop_price)":/],
  [/\b(?:unless|except|provided|assuming|without|but|instead|not|never|don'?t|maybe|perhaps)\b/i, undefined],
];

function unusedCondition(clause: string, plan: string): string | undefined {
  const lost = conditions.find(([said, has]) => said.test(clause) && !(has?.test(plan) ?? false));
  return lost?.[0].exec(clause)?.[0];
}
