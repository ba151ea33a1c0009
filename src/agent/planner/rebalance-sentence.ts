import { Dec, toPlain, ZERO } from '../../trading/decimal.ts';
import { MAX_BATCH_ORDERS } from '../../trading/kinds/batch.ts';
import type { Intent, RebalanceIntent } from './intent.ts';
import { NotUnderstoodError, truncateWord } from './words.ts';

/* Reads "rebalance to 60% VTI 40% BND", where every symbol is a ticker with a percentage. */

const sentence = /^re-?balance(?: (?:my |the )?(?:portfolio|account|holdings|positions))?(?: back)? (?:to|into) (.+)$/i;
const part = /^(\d{1,3}(?:\.\d{1,4})?)%$/;
const ticker = /^[A-Z][A-Z0-9]{0,9}(?:[./][A-Z0-9]{1,4})?$/;
const example = 'Try "rebalance to 60% VTI 40% BND".';

type Target = RebalanceIntent['targets'][number];

export function parseRebalance(clause: string): RebalanceIntent | undefined {
  const text = sentence.exec(clause)?.[1];
  // "60/40" names no symbols, so it is left to `redirectRebalance`, which asks for them.
  if (text === undefined || !/%|\bpercent\b/i.test(text)) return undefined;
  return { kind: 'rebalance', targets: readTargets(text) };
}

/** Adds the targets of another clause to a rebalance, such as "40% BND" to "60% VTI". */
export function withMoreTargets(last: RebalanceIntent, clause: string): RebalanceIntent | undefined {
  if (!/^\d+(?:\.\d+)? ?(?:%|percent\b)|^\S+ \d+(?:\.\d+)? ?%$/i.test(clause)) return undefined;
  return { ...last, targets: [...last.targets, ...readTargets(clause)] };
}

/** Requires a rebalance to have complete targets and to be the only request. @throws {NotUnderstoodError} otherwise */
export function requireCompleteTargets(intents: readonly Intent[]): void {
  const found = intents.find((intent) => intent.kind === 'rebalance');
  if (found === undefined) return;
  if (intents.length > 1) {
    throw new NotUnderstoodError("A rebalance can't be combined with other requests.", 'Ask for the rest separately.');
  }
  const { targets } = found;
  const names = targets.map(({ symbol }) => symbol);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new NotUnderstoodError(`${twice} has two percentages.`, 'Name each symbol once.');
  if (names.every((name) => name === 'cash')) throw new NotUnderstoodError('A ticker symbol is missing.', example);
  if (targets.length > MAX_BATCH_ORDERS) {
    throw new NotUnderstoodError(`That is more than ${MAX_BATCH_ORDERS} symbols.`, 'Name fewer at once.');
  }
  const whole = targets.reduce((sum, { weight }) => sum.plus(weight), ZERO).mul(100);
  if (!whole.eq(100)) {
    throw new NotUnderstoodError(
      `These percentages add up to ${toPlain(whole)}%, not 100%.`,
      'Include everything, even cash, as in "rebalance to 60% VTI 30% BND 10% cash".',
    );
  }
}

function readTargets(text: string): Target[] {
  const words = text
    .replace(/(\d) ?(?:%|percent\b)/gi, '$1%')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  const isPartFirst = part.test(words[0] ?? '');
  const targets: Target[] = [];
  for (let at = 0; at < words.length; at += 2) {
    // Skips the "in" of "60% in VTI".
    if (isPartFirst && /^(?:in|of)$/i.test(words[at + 1] ?? '')) words.splice(at + 1, 1);
    const [one = '', two = ''] = words.slice(at, at + 2);
    targets.push(isPartFirst ? readTarget(one, two) : readTarget(two, one));
  }
  return targets;
}

function readTarget(percent: string, name: string): Target {
  const found = part.exec(percent)?.[1];
  if (found === undefined) {
    throw new NotUnderstoodError(
      `I expected a percentage but found "${truncateWord(percent === '' ? name : percent)}".`,
      example,
    );
  }
  const weight = toPlain(new Dec(found).div(100));
  if (/^[Cc]ash$/.test(name)) return { symbol: 'cash', weight };
  // "CASH" in capitals is rejected, because it could mean the ticker or the account’s cash.
  if (ticker.test(name) && name !== 'CASH') return { symbol: name, weight };
  throw new NotUnderstoodError(
    name === '' ? `${percent} of what?` : `I expected a ticker symbol in capitals but found "${truncateWord(name)}".`,
    example,
  );
}
