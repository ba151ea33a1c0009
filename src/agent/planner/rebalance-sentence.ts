import { Dec, plain, ZERO } from '../../trading/decimal.ts';
import { MOST_IN_BATCH } from '../../trading/kinds/batch.ts';
import type { Intent, RebalanceIntent } from './intent.ts';
import { NotUnderstood, shown } from './words.ts';

/* "rebalance to 60% VTI 40% BND": every symbol with its part, tickers only. */

const sentence =
  /^re-?balance(?: (?:my |the )?(?:portfolio|account|holdings|positions))?(?: back)? (?:to|into) (.+)$/i;
const part = /^(\d{1,3}(?:\.\d{1,4})?)%$/;
const ticker = /^[A-Z][A-Z0-9]{0,9}(?:[./][A-Z0-9]{1,4})?$/;
const example = 'Write it as in "rebalance to 60% VTI 40% BND".';

type Target = RebalanceIntent['targets'][number];

export function readRebalance(clause: string): RebalanceIntent | undefined {
  const text = sentence.exec(clause)?.[1];
  // "60/40" names no symbols, which is asked about elsewhere.
  if (text === undefined || !/%|\bpercent\b/i.test(text)) return undefined;
  return { kind: 'rebalance', targets: targetsIn(text) };
}

/** The "40% BND" of "60% VTI and 40% BND". */
export function moreTargets(last: RebalanceIntent, clause: string): RebalanceIntent | undefined {
  if (!/^\d+(?:\.\d+)? ?(?:%|percent\b)|^\S+ \d+(?:\.\d+)? ?%$/i.test(clause)) return undefined;
  return { ...last, targets: [...last.targets, ...targetsIn(clause)] };
}

/** @throws {NotUnderstood} if the targets are incomplete, or beside anything else */
export function requireWhole(intents: readonly Intent[]): void {
  const found = intents.find((intent) => intent.kind === 'rebalance');
  if (found === undefined) return;
  if (intents.length > 1) {
    throw new NotUnderstood(
      'I rebalance by itself, with nothing beside it.',
      'Ask for the rest before or after.',
    );
  }
  const { targets } = found;
  const names = targets.map(({ symbol }) => symbol);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new NotUnderstood(`${twice} has two parts.`, 'Name each symbol once.');
  if (names.every((name) => name === 'cash')) throw new NotUnderstood('I miss a ticker symbol.', example);
  if (targets.length > MOST_IN_BATCH) {
    throw new NotUnderstood(`That is more than ${MOST_IN_BATCH} symbols.`, 'Name fewer at once.');
  }
  const whole = targets.reduce((sum, { weight }) => sum.plus(weight), ZERO).mul(100);
  if (!whole.eq(100)) {
    throw new NotUnderstood(
      `These parts are ${plain(whole)}% together, not 100%.`,
      'Name every part, cash too, as in "rebalance to 60% VTI 30% BND 10% cash".',
    );
  }
}

function targetsIn(text: string): Target[] {
  const words = text
    .replace(/(\d) ?(?:%|percent\b)/gi, '$1%')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  const isPartFirst = part.test(words[0] ?? '');
  const targets: Target[] = [];
  for (let at = 0; at < words.length; at += 2) {
    // "60% in VTI"
    if (isPartFirst && /^(?:in|of)$/i.test(words[at + 1] ?? '')) words.splice(at + 1, 1);
    const [one = '', two = ''] = words.slice(at, at + 2);
    targets.push(isPartFirst ? target(one, two) : target(two, one));
  }
  return targets;
}

function target(percent: string, name: string): Target {
  const found = part.exec(percent)?.[1];
  if (found === undefined) {
    throw new NotUnderstood(
      `"${shown(percent === '' ? name : percent)}" stands where I expect a part.`,
      example,
    );
  }
  const weight = plain(new Dec(found).div(100));
  if (/^[Cc]ash$/.test(name)) return { symbol: 'cash', weight };
  // CASH is also a ticker.
  if (ticker.test(name) && name !== 'CASH') return { symbol: name, weight };
  throw new NotUnderstood(
    name === ''
      ? `What is ${percent}?`
      : `"${shown(name)}" stands where I expect a ticker symbol in capitals.`,
    example,
  );
}
