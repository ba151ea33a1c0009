import { Refusal } from '../../trading/refusal.ts';
import type { Broker } from '../broker/broker.ts';

/**
 * Before the broker is asked for any of it: it rejects the whole request for one unknown symbol.
 * @throws {Refusal} 404 `unknown_symbol`
 */
export async function requireKnown(broker: Broker, symbols: readonly string[]): Promise<void> {
  const assets = await Promise.all(symbols.map((symbol) => broker.asset(symbol)));
  const unknown = symbols.filter((_, index) => assets[index] === undefined);
  if (unknown.length === 0) return;
  throw unknownSymbol(unknown);
}

export function unknownSymbol(unknown: readonly string[]): Refusal {
  return new Refusal(404, 'unknown_symbol', `the broker knows no symbol ${unknown.join(', ')}`, {
    hint: 'Check the ticker symbol.',
    fields: ['symbols'],
    members: { symbols: unknown },
  });
}
