import type { OrderRequest } from '../../trading/order.ts';
import type { Provenance } from '../../trading/proposal.ts';
import { type DerivedOrder, deriveOrders, type OrderFacts } from '../planner/derived-order.ts';
import { parseNewestTurn } from '../reader/conversation.ts';
import { isUnresolvedName, mapSymbols } from '../reader/intent.ts';
import { NotUnderstoodError } from '../reader/refusal.ts';
import { findSymbol } from '../reader/symbols-by-name.ts';
import type { ConversationFacts } from './conversation-facts.ts';
import { computedSource } from './provenance.ts';

/**
 * Records that fields of an order were computed from the account and the market, as the person's newest words ask:
 * "double my KO". The computation is repeated with the facts in the conversation, so a value that a model chose stays
 * attributed to the model unless it equals the computed value.
 * @param said the person's own turns, newest last
 */
export function markComputed(
  { fields, ...rest }: Provenance,
  said: readonly string[],
  facts: ConversationFacts,
  order: OrderRequest,
): Provenance {
  const isOpen = Object.values(fields).some(({ source }) => source === 'other');
  const found = isOpen ? derivedOrders(said, facts).find((one) => isSame(one, order)) : undefined;
  if (found === undefined) return { ...rest, fields };
  const rules: Readonly<Record<string, string>> = { side: 'the position', ...found.derived.rules };
  const computed = Object.entries(fields).map(([name, field]) => {
    const rule = rules[name];
    return [name, field.source === 'other' && rule !== undefined ? computedSource(rule) : field];
  });
  return { ...rest, fields: Object.fromEntries(computed) };
}

function derivedOrders(
  said: readonly string[],
  { positions, account, prices = [], names }: ConversationFacts,
): readonly DerivedOrder[] {
  const { parsed } = parseNewestTurn(said);
  const facts: OrderFacts = { portfolio: { positions, account }, prices };
  const resolve = (symbol: string) => (isUnresolvedName(symbol) ? (findSymbol(symbol, names) ?? symbol) : symbol);
  return ('intents' in parsed ? parsed.intents : []).flatMap((intent) => {
    try {
      return deriveOrders(mapSymbols(intent, resolve), facts);
    } catch (error) {
      if (error instanceof NotUnderstoodError) return [];
      throw error;
    }
  });
}

const isSame = ({ symbol, side, derived }: DerivedOrder, order: OrderRequest) =>
  symbol === order.symbol &&
  side === order.side &&
  Object.entries(derived.fields).every(([name, value]) => (order as Record<string, unknown>)[name] === value);
