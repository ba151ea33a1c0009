import { isPlacedStop } from './frame.ts';
import type { Mention } from './slots.ts';

/** Adds the asset that only the "it" of a condition refers to: "if it falls to 140 sell 10". */
export function withSubject(mentions: readonly Mention[], it: string | undefined): readonly Mention[] {
  const isNamed = mentions.some((one) => one.kind === 'asset' || one.kind === 'ref' || ('of' in one && one.of));
  const isAbout = mentions.some(({ kind, text }) => kind === 'when' && /\bit\b/i.test(text));
  return it === undefined || isNamed || !isAbout ? mentions : [...mentions, { kind: 'ref', text: 'it' }];
}

/**
 * Adds the act that a sentence without a verb implies. A sentence that begins with a stop ("stop loss on AAPL at 150")
 * protects the position, and "$25 of SPY every Monday" buys. Adds nothing to any other sentence.
 */
export function withImpliedAct(mentions: readonly Mention[]): readonly Mention[] {
  const has = (test: (one: Mention) => boolean) => mentions.some(test);
  if (has(({ kind }) => kind === 'act' || kind === 'word') || !has(({ kind }) => kind === 'asset')) return mentions;
  // "every other Friday" is a recurrence too, although no order can follow it.
  const isTime = has(
    (one) =>
      (one.kind === 'when' && one.when.every !== undefined) ||
      (one.kind === 'ask' && ['week', 'month_day', 'interval'].includes(one.about)),
  );
  const isAmount = has(
    (one) => one.kind === 'size' && ('notional' in one.size || ('qty' in one.size && one.size.isShares)),
  );
  const [first] = mentions;
  const isOfMine = has((one) => one.kind === 'size' && 'qty' in one.size && one.size.isOf && one.size.isShares);
  const isNamed = has(
    (one) =>
      isOfMine ||
      (one.kind === 'asset' && /\b(?:on|for|my)\b/i.test(one.text)) ||
      (one.kind === 'size' && 'isAll' in one.size && one.size.isAll),
  );
  const isFor = has((one) => one.kind === 'price' && one.role === 'for');
  const isStopFirst =
    first !== undefined &&
    (isPlacedStop(first) ||
      (first.kind === 'price' && first.role === 'profit') ||
      (first.kind === 'type' && first.type === 'stop_with_limit'));
  const act =
    isStopFirst && (isOfMine || isSizedLast(mentions)) && isNamed && !isFor && has(isPlacedStop)
      ? ('protect' as const)
      : isTime && isAmount
        ? ('buy' as const)
        : undefined;
  return act === undefined ? mentions : [{ kind: 'act', act, text: '' }, ...mentions];
}

/** Returns whether no number precedes the asset: "sl 5 AAPL at 77" may be a misspelled sale. */
function isSizedLast(mentions: readonly Mention[]): boolean {
  const at = mentions.findIndex(({ kind }) => kind === 'size');
  const size = mentions[at];
  const isWhole = size?.kind === 'size' && 'isAll' in size.size;
  return at < 0 || isWhole || mentions.slice(0, at).some(({ kind }) => kind === 'asset');
}
