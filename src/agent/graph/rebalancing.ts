import type { BaseMessage } from '@langchain/core/messages';
import { ToolMessage } from '@langchain/core/messages';
import { z } from 'zod';
import type { OrderRequest } from '../../trading/order.ts';
import type { Provenance } from '../../trading/proposal.ts';
import { understand } from '../planner/conversation.ts';

/** The rule's name, for whoever asks where orders come from. */
const RULE = 'the rebalancing to the targets named';

const answerSchema = z.lazy(() =>
  z.object({
    orders: z.array(z.record(z.string(), z.unknown())),
    targets: z.array(z.object({ symbol: z.string(), target: z.string() })),
  }),
);

/** Orders that suggest_rebalance worked out, with the targets they are for. Plain data. */
export type Rebalancing = z.output<typeof answerSchema>;

/** What was worked out last. */
export function latestRebalancing(messages: readonly BaseMessage[]): Rebalancing | undefined {
  const message = messages.findLast(
    (one) => ToolMessage.isInstance(one) && one.name === 'suggest_rebalance' && one.status !== 'error',
  );
  try {
    return message === undefined ? undefined : answerSchema.safeParse(JSON.parse(message.text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Orders that are to the letter what was worked out for targets that the person's newest words name are the rule's; those
 * of a model's own targets stay the model's.
 */
export function byRebalancing(
  { fields, ...rest }: Provenance,
  found: Rebalancing | undefined,
  said: readonly string[],
  orders: readonly OrderRequest[],
): Provenance {
  if (found === undefined || !isSaid(found, said) || text(found.orders) !== text(orders)) {
    return { ...rest, fields };
  }
  const computed = Object.entries(fields).map(([name, field]) => {
    if (field.source !== 'other') return [name, field];
    // The profile's own, whatever percentages the words have.
    const isDefault = name === 'max_slippage';
    return [name, isDefault ? { source: 'default' } : { source: 'computed', from: RULE }];
  });
  return { ...rest, fields: Object.fromEntries(computed) };
}

/** Whether the targets are those of the person's words, all of them and no other. */
function isSaid({ targets }: Rebalancing, said: readonly string[]): boolean {
  const { parsed } = understand(said);
  const [intent] = 'intents' in parsed ? parsed.intents : [];
  if (intent?.kind !== 'rebalance') return false;
  const named = intent.targets.filter(({ symbol }) => symbol !== 'cash');
  return (
    named.length === targets.length &&
    named.every(({ symbol, weight }) => targets.some((one) => one.symbol === symbol && one.target === weight))
  );
}

/** Each order with its fields in one sequence. */
function text(orders: readonly object[]): string {
  return JSON.stringify(orders.map((order) => Object.entries(order).sort(([a], [b]) => (a < b ? -1 : 1))));
}
