import { phrase } from '../../text/phrase.ts';
import { defined } from '../../values/defined.ts';
import { beginsWithAct } from './computed-topics.ts';
import { fillFrame } from './frame.ts';
import type { Intent } from './intent.ts';
import type { Item } from './item.ts';
import { has, isAsset } from './match.ts';
import { toOrders } from './order-frame.ts';
import { NotUnderstoodError } from './refusal.ts';
import { readMentions } from './slots.ts';

/* Reads questions about one order: whether it is a wash sale, passes the rules, or can be afforded. */

/** Removes the items with any of the meanings, and the quotation marks. */
function without(items: readonly Item[], ...tags: string[]): Item[] {
  return items
    .filter((item) => isAsset(item) || !item.tags.some((tag) => tags.includes(tag)))
    .map((item) => ({ ...item, aside: false }));
}

export function readWashSale(items: readonly Item[]): Intent[] | undefined {
  if (!has(items, 'wash')) return undefined;
  const mentions = readMentions(
    without(items, 'wash', 'traded', 'would', 'is', 'ask', 'question', 'i', 'if', 'selling', 'sell', 'it', 'make'),
  );
  const symbols = mentions.flatMap((one) => (one.kind === 'asset' ? [one.symbol] : []));
  const sizes = mentions.flatMap((one) => (one.kind === 'size' ? [one.size] : []));
  const known = mentions.every(({ kind }) => kind === 'asset' || kind === 'size');
  const [symbol] = symbols;
  const [size] = sizes;
  const isWhole = size === undefined || 'qty' in size || ('fraction' in size && size.fraction === '1');
  if (!known || symbol === undefined || symbols.length > 1 || sizes.length > 1 || !isWhole) return undefined;
  return [{ kind: 'wash', symbol, ...defined({ qty: size !== undefined && 'qty' in size ? size.qty : undefined }) }];
}

/** Reads "would 5 AAPL pass my rules?". Assumes that `5 AAPL` is a purchase, and the answer says so. */
export function readRules(items: readonly Item[]): Intent[] | undefined {
  if (!has(items, 'rules') || !has(items, 'pass')) return undefined;
  const words = without(items, 'rules', 'pass', 'would', 'is', 'ask', 'check', 'question', 'i');
  const frame = fillFrame(readMentions(words));
  const buys = frame.acts.length === 0 ? { ...frame, acts: ['buy'] as const } : frame;
  const [order, ...more] = toOrders(buys);
  if (order?.kind === 'order' && more.length === 0 && order.fraction === undefined)
    return [{ kind: 'rules', request: order.request }];
  throw new NotUnderstoodError(
    phrase`Which order do you mean?`,
    phrase`Include the number of shares or dollars, as in "would buying 5 AAPL limit 180 pass my rules?".`,
  );
}

/** Reads "can I afford 5 AAPL?", or how many AAPL the cash buys. */
export function readAfford(items: readonly Item[]): Intent[] | undefined {
  if (!has(items, 'afford') || beginsWithAct(items)) return undefined;
  const mentions = readMentions(without(items, 'afford', 'would', 'is', 'ask', 'do', 'own', 'question', 'i', 'buy'));
  const symbols = mentions.flatMap((one) => (one.kind === 'asset' ? [one.symbol] : []));
  const sizes = mentions.flatMap((one) => (one.kind === 'size' ? [one.size] : []));
  const [symbol] = symbols;
  if (symbol === undefined || symbols.length > 1 || sizes.length > 1) return undefined;
  const [size] = sizes;
  if (size === undefined) return [{ kind: 'computed', figure: 'affordable', symbol }];
  if ('qty' in size) return [{ kind: 'computed', figure: 'trade', side: 'buy', symbol, qty: size.qty }];
  return 'notional' in size
    ? [{ kind: 'computed', figure: 'trade', side: 'buy', symbol, amount: size.notional }]
    : undefined;
}
