import { safeLine } from '../../text/sanitize.ts';
import { findTool } from '../../tools/catalog.ts';
import type { ToolCall } from './agent-state.ts';
import otherLanguages from './claims.json' with { type: 'json' };

const MAX_DESCRIPTION_LENGTH = 80;

type Call = Pick<ToolCall, 'name' | 'args'>;

interface NamedOrder {
  /** The side as the model wrote it, in lower case. */
  readonly side: string;
  readonly symbol: string;
}

export function findOrdersInCall({ name, args }: Call): NamedOrder[] {
  const orders = name === 'place_orders' && Array.isArray(args.orders) ? args.orders : [args];
  // Closing a position counts as selling it, because people use both words for it.
  if (name === 'close_position') return findOrdersInCall({ name: 'place_order', args: { ...args, side: 'sell' } });
  if (name !== 'place_order' && name !== 'place_orders') return [];
  return orders.flatMap((order: unknown) => {
    if (typeof order !== 'object' || order === null) return [];
    const { side, symbol } = order as Record<string, unknown>;
    return typeof symbol === 'string' && symbol !== ''
      ? [{ side: String(side ?? '').toLowerCase(), symbol: symbol.toUpperCase() }]
      : [];
  });
}

/** Returns the symbols, order ID or recipient of a proposing call. Returns undefined for a call that only reads. */
export function callSubject(call: Call): string | undefined {
  const risk = findTool(call.name)?.risk;
  if (risk === undefined || risk === 'read') return undefined;
  const symbols = findOrdersInCall(call).map(({ symbol }) => symbol);
  const { order_id, recipient } = call.args;
  return safeLine(symbols.length > 0 ? symbols.join(' ') : String(order_id ?? recipient ?? ''), MAX_DESCRIPTION_LENGTH);
}

export function describeCall(call: Call): string {
  const { name, args } = call;
  if (name === 'place_order') return safeLine(describeOrderArguments(args), MAX_DESCRIPTION_LENGTH);
  const values = Object.values(args).flatMap((value) =>
    Array.isArray(value)
      ? value.map((one: unknown) =>
          typeof one === 'object' && one !== null ? describeOrderArguments({ ...one }) : String(one),
        )
      : typeof value === 'object'
        ? []
        : [String(value)],
  );
  return safeLine([name, values.join(', ')].join(' ').trim(), MAX_DESCRIPTION_LENGTH);
}

function describeOrderArguments({ side, qty, notional, symbol }: Record<string, unknown>): string {
  const amount = qty ?? (notional === undefined || notional === null ? undefined : `$${notional}`);
  return [side, amount, symbol].filter((word) => word !== undefined && word !== null).join(' ');
}

/** Patterns of claims in a model's answer, each with the kind of call that would make the claim true. */
const claims: readonly (readonly ['buy' | 'sell' | 'cancel' | 'order', RegExp])[] = [
  ['buy', firstPerson('bought|purchased')],
  ['sell', firstPerson('sold')],
  ['cancel', firstPerson('canceled|cancelled')],
  ['order', firstPerson('placed|submitted|executed')],
  ...otherLanguages.buy.map((pattern) => ['buy', new RegExp(pattern, 'iu')] as const),
  ...otherLanguages.sell.map((pattern) => ['sell', new RegExp(pattern, 'iu')] as const),
];
const earlierWords =
  /\b(?:if|had|earlier|previously|before|already|yesterday|last|ago|on (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|in (?:january|february|march|april|may|june|july|august|september|october|november|december|20\d\d))\b/i;

/** Returns a pattern for sentences such as "I have just bought 5 AAPL" and "Done. I bought it". */
function firstPerson(verbs: string): RegExp {
  return new RegExp(
    `\\b(?:I|I['’]ve|we|we['’]ve)\\s+(?:(?:have|just|now|also|successfully)\\s+){0,3}(?:${verbs})\\b`,
    'i',
  );
}

/**
 * Returns what a model falsely claims to have done, such as `bought`. Ignores claims about earlier times. A claim in
 * unrecognized words goes unnoticed, so this check is not a safeguard.
 * @param executed the calls that were executed for this prompt
 */
export function findFalseClaim(text: string, executed: readonly Call[]): string | undefined {
  const sides = new Set(executed.flatMap(findOrdersInCall).map(({ side }) => side));
  const isTrue = (claim: (typeof claims)[number][0]): boolean => {
    if (claim === 'cancel') return executed.some(({ name }) => name === 'cancel_order' || name === 'replace_order');
    if (executed.some(({ name }) => name === 'place_standing_order' || name === 'replace_order')) return true;
    return claim === 'order' ? executed.length > 0 : sides.has(claim);
  };
  const words = { buy: 'bought', sell: 'sold', cancel: 'canceled', order: 'ordered' } as const;
  for (const sentence of text.split(/(?<=[.!?。！？])\s+|\n/)) {
    if (sentence.trimEnd().endsWith('?') || earlierWords.test(sentence)) continue;
    const claim = claims.find(([kind, pattern]) => pattern.test(sentence) && !isTrue(kind));
    if (claim !== undefined) return words[claim[0]];
  }
  return undefined;
}
