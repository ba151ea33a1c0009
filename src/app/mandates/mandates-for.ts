import type { MandateChoice } from '../../agent/agent.ts';
import { slotOf } from '../../trading/mandate/cadence.ts';
import type { MandateView } from '../../trading/mandate/mandate.ts';
import { defined } from '../../values/defined.ts';

/**
 * Which mandates orders may be placed under: of those in force over their account, the one that ends first comes
 * first; the gateway's own is for no program. Whether it covers an order is the gateway's to say.
 * @param account its number
 * @param due when what proposes was due, milliseconds since the epoch: its slot is that moment's, however late it runs
 */
export function mandatesFor(mandates: readonly MandateView[], account: string, due: number): MandateChoice[] {
  return mandates
    .filter(
      ({ state, terms }) => state === 'active' && terms.account === account && terms.standing === undefined,
    )
    .sort((a, b) => Date.parse(a.terms.expires_at) - Date.parse(b.terms.expires_at))
    .map(({ id, terms: { symbols, sides, cadence } }) => {
      const slot = slotOf(cadence, due);
      return { symbols, sides, mandate: id, ...defined({ slot }) };
    });
}
