import type { Side } from '../../trading/order.ts';
import { understand } from './conversation.ts';
import { isName } from './intent.ts';
import { clausesOfWords, verbs } from './person-words.ts';

/** As many as a client may have open. */
const MOST_ORDERS_NAMED = 20;

/** How many orders, cancels and messages the newest turn names, up to {@link MOST_ORDERS_NAMED}. */
export function ordersNamed(userTurns: readonly string[]): number {
  const turn = userTurns.at(-1) ?? '';
  const { parsed } = understand(userTurns);
  const acts = ['order', 'standing', 'send', 'cancel', 'replace'];
  const named =
    'intents' in parsed
      ? parsed.intents.filter(({ kind }) => acts.includes(kind)).length
      : namedByWords(turn);
  return Math.min(named, MOST_ORDERS_NAMED);
}

/** For unreadable sentences: a verb's clause is one order per symbol it names. */
function namedByWords(turn: string): number {
  let count = 0;
  for (const { sides, lower, tickers } of clausesOfWords(turn)) {
    const acts = verbs.some(([verb]) => lower.includes(verb)) || lower.includes('cancel');
    if (acts) count += Math.max(1, tickers.length);
    else if (sides.length > 0) count += tickers.length;
  }
  return count;
}

/** Orders named with side and ticker in the newest turn. */
export function ordersSaid(userTurns: readonly string[]): { readonly side: Side; readonly symbol: string }[] {
  const turn = userTurns.at(-1) ?? '';
  const { parsed } = understand(userTurns);
  if ('intents' in parsed) {
    return parsed.intents.flatMap((intent) => {
      const symbol = intent.kind === 'order' ? String(intent.request.symbol) : '';
      return intent.kind === 'order' && symbol !== '' && !isName(symbol)
        ? [{ side: intent.request.side, symbol }]
        : [];
    });
  }
  const said = clausesOfWords(turn).flatMap(({ sides, tickers }) =>
    // A clause with both sides is ambiguous.
    sides.length === 1 ? tickers.map((symbol) => ({ side: sides[0] as Side, symbol })) : [],
  );
  return said.filter(
    ({ side, symbol }, at) => said.findIndex((one) => one.side === side && one.symbol === symbol) === at,
  );
}
