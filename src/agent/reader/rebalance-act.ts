import { phrase } from '../../text/phrase.ts';
import { Dec, toPlain, ZERO } from '../../trading/decimal.ts';
import { MAX_BATCH_ORDERS } from '../../trading/kinds/batch.ts';
import type { RebalanceIntent } from './intent.ts';
import type { Item } from './items.ts';
import { isAsset, symbolOf } from './match.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { Taker } from './taker.ts';

const rebalanceExample = phrase`Try "rebalance to 60% VTI 40% BND".`;

/** Reads "rebalance to 60% VTI 40% BND". @throws {NotUnderstoodError} if the targets are incomplete */
export function readRebalance(items: readonly Item[]): RebalanceIntent | undefined {
  const words = new Taker(items);
  if (words.take('rebalance') === undefined) return undefined;
  words.take('my? portfolio? back?');
  words.take('to|of');
  if (!items.some(({ quantity }) => quantity?.unit === 'percent')) {
    throw new NotUnderstoodError(
      phrase`How much of each symbol?`,
      phrase`Give each symbol its percentage of the account, 100% in total: "rebalance to 60% VTI 40% BND", "rebalance to 60% VTI 30% BND 10% cash". To rebalance to the targets in a rules file, use "trade-agent check --suggest" (docs/guide/CHECKS.md).`,
    );
  }
  const targets: RebalanceIntent['targets'][number][] = [];
  while (words.rest !== undefined) if (words.take('comma|and and?') === undefined) targets.push(readTarget(words));
  return requireTargets(targets);
}

function readTarget(words: Taker): RebalanceIntent['targets'][number] {
  const { rest } = words;
  const found = words.take('% of? @|cash') ?? words.take('@|cash of? %');
  const item = found?.items.find((one) => isAsset(one) || one.tags.includes('cash'));
  const [percent] = found?.quantities ?? [];
  if (item === undefined || percent === undefined) {
    throw new NotUnderstoodError(
      phrase`I expected a percentage and a ticker symbol but found "${truncateWord(rest?.text ?? '')}".`,
      rebalanceExample,
    );
  }
  const weight = toPlain(new Dec(percent.value).div(100));
  if (item.lower === 'cash' && item.text !== 'CASH') return { symbol: 'cash', weight };
  // "CASH" in capitals is rejected, because it could mean the ticker or the account’s cash.
  if (item.ticker !== undefined && item.ticker !== 'CASH') return { symbol: symbolOf(item), weight };
  throw new NotUnderstoodError(
    phrase`I expected a ticker symbol in capitals but found "${truncateWord(item.text)}".`,
    rebalanceExample,
  );
}

function requireTargets(targets: RebalanceIntent['targets']): RebalanceIntent {
  const names = targets.map(({ symbol }) => symbol);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new NotUnderstoodError(phrase`${twice} has two percentages.`, phrase`Name each symbol once.`);
  if (names.every((name) => name === 'cash'))
    throw new NotUnderstoodError(phrase`A ticker symbol is missing.`, rebalanceExample);
  if (targets.length > MAX_BATCH_ORDERS) {
    throw new NotUnderstoodError(phrase`That is more than ${MAX_BATCH_ORDERS} symbols.`, phrase`Name fewer at once.`);
  }
  const whole = targets.reduce((sum, { weight }) => sum.plus(weight), ZERO).mul(100);
  if (!whole.eq(100)) {
    throw new NotUnderstoodError(
      phrase`These percentages add up to ${toPlain(whole)}%, not 100%.`,
      phrase`Include everything, even cash, as in "rebalance to 60% VTI 30% BND 10% cash".`,
    );
  }
  return { kind: 'rebalance', targets };
}
