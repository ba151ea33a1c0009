import { z } from 'zod';
import { percent } from '../../trading/amounts.ts';
import { FEWEST_IN_BATCH } from '../../trading/kinds/batch.ts';
import { leftWords } from '../../trading/portfolio/rebalance.ts';
import type { RebalanceIntent } from './intent.ts';

const suggested = z.lazy(() =>
  z.object({
    orders: z.array(z.record(z.string(), z.unknown())),
    left: z.array(z.object({ symbol: z.string(), reason: z.string() })),
    targets: z.array(z.object({ symbol: z.string(), target: z.string(), weight: z.string() })),
    without_target: z.array(z.string()),
    simulated: z.boolean(),
  }),
);

interface Call {
  readonly name: string;
  readonly args: Record<string, unknown>;
}

/** The rest stays in cash. */
export function rebalanceStep({ targets }: RebalanceIntent): Call {
  return {
    name: 'suggest_rebalance',
    args: { targets: targets.filter(({ symbol }) => symbol !== 'cash') },
  };
}

/** All orders in one proposal. */
export function ordersOfRebalance(answer: unknown): Call[] {
  const { orders } = suggested.parse(answer);
  const [only] = orders;
  if (only === undefined) return [];
  return orders.length < FEWEST_IN_BATCH
    ? [{ name: 'place_order', args: only }]
    : [{ name: 'place_orders', args: { orders } }];
}

export function rebalanceWords(answer: unknown): string {
  const { orders, left, targets, without_target, simulated } = suggested.parse(answer);
  const stood = targets
    .map(({ symbol, weight, target }) => `${symbol} ${percent(weight)} of ${percent(target)}`)
    .join(', ');
  return [
    `${orders.length === 0 ? 'There is nothing to trade. Now' : 'Before'}: ${stood}.`,
    ...left.map(({ symbol, reason }) => `${symbol} is left: ${leftWords(reason)}.`),
    ...(without_target.length === 0 ? [] : [`Not named, and left alone: ${without_target.join(', ')}.`]),
    ...(simulated ? ['Prices are simulated.'] : []),
  ].join(' ');
}
