import type { UnderMandate } from '../../agent/agent.ts';
import { slotOf } from '../../trading/mandate/cadence.ts';
import type { MandateView } from '../../trading/mandate/mandate.ts';
import type { OrderRequest } from '../../trading/order.ts';

/**
 * Which mandate an order may be placed under: of those in force over its account for its symbol and side, the one that ends
 * first; the gateway's own is for no program. Whether it covers the order is the gateway's to say.
 * @param account its number
 * @param due when what proposes was due, milliseconds since the epoch: its slot is that moment's, however late it runs
 */
export function mandateFor(
  mandates: readonly MandateView[],
  account: string,
  due: number,
): (order: Pick<OrderRequest, 'symbol' | 'side'>) => UnderMandate | undefined {
  const open = mandates
    .filter(
      ({ state, terms }) => state === 'active' && terms.account === account && terms.standing === undefined,
    )
    .sort((a, b) => Date.parse(a.terms.expires_at) - Date.parse(b.terms.expires_at));
  return ({ symbol, side }) => {
    const found = open.find(({ terms }) => terms.symbols.includes(symbol) && terms.sides.includes(side));
    if (found === undefined) return undefined;
    const slot = slotOf(found.terms.cadence, due);
    return { mandate: found.id, ...(slot === undefined ? {} : { slot }) };
  };
}
