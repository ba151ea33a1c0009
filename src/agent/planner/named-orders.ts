import type { Side } from '../../trading/order.ts';
import { parseNewestTurn } from './conversation.ts';
import { isUnresolvedName } from './intent.ts';
import { orderVerbs, splitIntoClauses } from './utterance.ts';

/** Maximum number of orders that are counted. Equal to the gateway's default limit on open proposals of our own client. */
const MAX_NAMED_ORDERS = 20;

/** Returns how many orders, cancellations and messages the newest turn names, up to {@link MAX_NAMED_ORDERS}. */
export function countNamedOrders(userTurns: readonly string[]): number {
  const turn = userTurns.at(-1) ?? '';
  const { parsed } = parseNewestTurn(userTurns);
  const acts = ['order', 'standing', 'send', 'cancel', 'replace'];
  const named =
    'intents' in parsed ? parsed.intents.filter(({ kind }) => acts.includes(kind)).length : countOrdersByWords(turn);
  return Math.min(named, MAX_NAMED_ORDERS);
}

/** Counts the orders in a sentence that the planner can't parse: one order per symbol in each clause with a verb. */
function countOrdersByWords(turn: string): number {
  let count = 0;
  for (const { sides, lower, tickers } of splitIntoClauses(turn)) {
    const acts = orderVerbs.some(([verb]) => lower.includes(verb)) || lower.includes('cancel');
    if (acts) count += Math.max(1, tickers.length);
    else if (sides.length > 0) count += tickers.length;
  }
  return count;
}

export function findNamedOrders(userTurns: readonly string[]): { readonly side: Side; readonly symbol: string }[] {
  const turn = userTurns.at(-1) ?? '';
  const { parsed } = parseNewestTurn(userTurns);
  if ('intents' in parsed) {
    return parsed.intents.flatMap((intent) => {
      const symbol = intent.kind === 'order' ? String(intent.request.symbol) : '';
      return intent.kind === 'order' && symbol !== '' && !isUnresolvedName(symbol)
        ? [{ side: intent.request.side, symbol }]
        : [];
    });
  }
  const said = splitIntoClauses(turn).flatMap(({ sides, tickers }) =>
    // A clause that names both buying and selling is ambiguous.
    sides.length === 1 ? tickers.map((symbol) => ({ side: sides[0] as Side, symbol })) : [],
  );
  return said.filter(
    ({ side, symbol }, at) => said.findIndex((one) => one.side === side && one.symbol === symbol) === at,
  );
}
