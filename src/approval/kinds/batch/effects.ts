import { dollars, shares } from '../../../trading/amounts.ts';
import { unitsOf } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import { orderHeadline } from '../../../trading/order-words.ts';
import type { WorstCase } from '../../../trading/proposal.ts';
import { worstCase } from '../../../trading/worst-case.ts';
import { effectsOf } from '../order/effects.ts';
import type { OrderWorld } from '../order/kind.ts';

type Decimal = InstanceType<typeof Dec>;

/** The dollars that an order can move at worst; at its reference price where nothing bounds it. */
export function movedBy(draft: OrderDraft): Decimal {
  const { cash } = worstCase(draft);
  return cash === null
    ? new Dec(draft.qty ?? 0).times(unitsOf(draft.symbol)).times(draft.reference_price)
    : new Dec(cash);
}

/** What all of them come to together, each line for the phone, and the cash before and after. */
export function batchEffects(
  drafts: readonly OrderDraft[],
  worlds: ReadonlyMap<string, OrderWorld>,
): {
  readonly worstCase: WorstCase;
  readonly shows: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
} {
  const total = (side: OrderDraft['side']) =>
    drafts
      .filter((draft) => draft.side === side)
      .reduce((sum, draft) => sum.plus(movedBy(draft)), new Dec(0));
  const [costs, brings] = [total('buy'), total('sell')];
  const [cash] = [...worlds.values()].map(({ account }) => account.cash);
  const after = new Dec(cash ?? 0).plus(brings).minus(costs);
  const lines = drafts.map((draft, at) => [`${at + 1}`, lineOf(draft, worlds.get(draft.symbol))] as const);
  return {
    worstCase: worstOf(drafts, costs, brings),
    shows: {
      ...Object.fromEntries(lines),
      Cash: `${dollars(cash ?? '0')} now, ${dollars(after.toFixed(2))} after`,
    },
    warnings: drafts.flatMap((draft) => {
      const world = worlds.get(draft.symbol);
      if (world === undefined) return [];
      return effectsOf(draft, worstCase(draft), world).warnings.map((text) => `${draft.symbol}: ${text}`);
    }),
  };
}

function worstOf(drafts: readonly OrderDraft[], costs: Decimal, brings: Decimal): WorstCase {
  const unbounded = drafts.filter((draft) => worstCase(draft).cash === null).map(({ symbol }) => symbol);
  const texts = [
    ...(costs.isZero() ? [] : [`The purchases cost at most ${dollars(costs.toFixed(2))} together.`]),
    ...(brings.isZero() ? [] : [`The sales bring at least ${dollars(brings.toFixed(2))} if all is sold.`]),
  ];
  if (unbounded.length > 0) {
    const text = `Nothing bounds the price of ${unbounded.join(', ')}. ${texts.join(' ')}`;
    return { cash: null, price: null, text };
  }
  return { cash: (costs.isZero() ? brings : costs).toFixed(2), price: null, text: texts.join(' ') };
}

/** `SELL 5 AAPL, market: at least $891.00; 10 now, 5 after`. */
function lineOf(draft: OrderDraft, world: OrderWorld | undefined): string {
  const { cash } = worstCase(draft);
  const bound = draft.side === 'sell' ? 'at least' : 'at most';
  const held = world?.positions.find(({ symbol }) => symbol === draft.symbol);
  const before = new Dec(held?.qty ?? 0).times(held?.side === 'short' ? -1 : 1);
  return `${orderHeadline(draft)}${cash === null ? '' : `: ${bound} ${dollars(cash)}`}; ${shares(before.toFixed())} held now`;
}
