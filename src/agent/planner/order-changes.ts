import type { CancelIntent, OrderChange, OrderReference, ReplaceIntent } from './intent.ts';
import { isFullId } from './open-orders.ts';
import { takeTimeInForce } from './order-terms.ts';
import { NotUnderstoodError, truncateWord, type WordReader } from './words.ts';

const cancelHint = 'Try "cancel my AAPL order", "cancel my last order" or "cancel order ID".';
const changeHint =
  'Try "change my AAPL order to limit 185", "change my AAPL order to 10 shares" or "change order ID to limit 185".';

const newest = ['last', 'latest', 'newest', 'most recent'];

export function parseCancel(words: WordReader): CancelIntent {
  const all = words.take('all');
  words.take('of');
  const isMine = words.takeAny('my', 'the');
  words.take('open');
  if (!all && words.takeAny(...newest.map((word) => `${word} order`))) {
    return requireEnd(words, { kind: 'cancel', which: { newest: true } });
  }
  if (words.take('order')) {
    const id = words.next();
    if (id === '' && isMine && !all) return { kind: 'cancel', which: { only: true } };
    if (words.done && /^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/.test(id)) return { kind: 'cancel', which: { id } };
    throw new NotUnderstoodError(
      'The order’s ID is missing.',
      'Ask "open orders" for the IDs, then "cancel order ID".',
    );
  }
  if (isFullId(words.peek())) return requireEnd(words, { kind: 'cancel', which: { id: words.next() } });
  const symbol = words.symbol('Try "cancel my AAPL order".');
  const many = words.take('orders') || all;
  if (!many && !words.take('order')) {
    throw new NotUnderstoodError(
      `I don't understand "cancel ${truncateWord(symbol)} ${truncateWord(words.rest())}".`,
      'Try "cancel my AAPL order".',
    );
  }
  return requireEnd(words, { kind: 'cancel', which: { symbol, many } });
}

function requireEnd(words: WordReader, intent: CancelIntent): CancelIntent {
  if (words.done) return intent;
  throw new NotUnderstoodError(`I don't understand "${truncateWord(words.rest())}" in this cancellation.`, cancelHint);
}

type Price = 'limit_price' | 'stop_price';

/** Parses what follows "change", "move" and similar verbs: which order, and the new value. */
export function parseReplace(words: WordReader): ReplaceIntent {
  let field = readField(words);
  if (field !== undefined) words.takeAny('of', 'on', 'for');
  let isMine = words.takeAny('my', 'the');
  field ??= readField(words);
  if (words.takeAny('of my', 'of the', 'on my', 'on the')) isMine = true;
  else if (field !== undefined) words.takeAny('of', 'on', 'for');
  const isNewest = words.takeAny(...newest);
  const isOrder = words.peek().toLowerCase() === 'order';
  const which = readOrderReference(words, isNewest);
  const said = readField(words);
  if ((field !== undefined && said !== undefined) || (isNewest && !('newest' in which))) throw unclearChange(words);
  field ??= said;
  // Requires a word that says that an order is meant, as in "my order" or "my limit".
  const isNamed = words.take('order') || isOrder || field !== undefined;
  if ('only' in which && !(isMine && isNamed)) throw unclearChange(words);
  if (!words.takeAny('to be', 'to', 'at')) throw unclearChange(words);
  const change = readChange(words, field);
  if (!words.done) throw unclearChange(words);
  return { kind: 'replace', which, change };
}

function unclearChange(words: WordReader): NotUnderstoodError {
  const rest = words.rest();
  const what = rest === '' ? 'what should change' : `"${truncateWord(rest)}" in this change`;
  return new NotUnderstoodError(`I don't understand ${what}.`, changeHint);
}

function readField(words: WordReader): Price | 'qty' | undefined {
  if (words.takeAny('limit price', 'limit', 'lmt')) return 'limit_price';
  if (words.takeAny('stop price', 'stop')) return 'stop_price';
  return words.takeAny('quantity', 'size', 'number of shares') ? 'qty' : undefined;
}

function readOrderReference(words: WordReader, isNewest: boolean): OrderReference {
  if (words.take('order')) {
    const id = words.peek();
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/.test(id)) return isNewest ? { newest: true } : { only: true };
    words.next();
    return { id };
  }
  if (isFullId(words.peek())) return { id: words.next() };
  // In "change my limit order to 185", "limit" is not a symbol.
  if (/^(limit|stop|to)$/i.test(words.peek())) return isNewest ? { newest: true } : { only: true };
  return { symbol: words.symbol(changeHint) };
}

function readChange(words: WordReader, field: Price | 'qty' | undefined): OrderChange {
  const time_in_force = field === undefined ? takeTimeInForce(words) : undefined;
  if (time_in_force !== undefined) return { time_in_force };
  words.takeAny('a', 'an');
  const named = readField(words);
  if (named !== undefined) words.takeAny('of', 'price of', 'at');
  if (named !== undefined && field !== undefined && named !== field) throw unclearChange(words);
  return readValue(words, field ?? named);
}

function readValue(words: WordReader, field: Price | 'qty' | undefined): OrderChange {
  if (field === 'limit_price') return { limit_price: words.price('limit price') };
  if (field === 'stop_price') return { stop_price: words.price('stop price') };
  const isMoney = words.peek().startsWith('$') || /^(dollars|usd|bucks)$/i.test(words.peek(1));
  if (field === undefined && isMoney) return { price: words.price('limit price') };
  const value = words.quantity();
  if (value === undefined) throw unclearChange(words);
  return words.takeAny('shares', 'share') || field === 'qty' ? { qty: value } : { value };
}
