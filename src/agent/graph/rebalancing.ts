import type { BaseMessage } from '@langchain/core/messages';
import { ToolMessage } from '@langchain/core/messages';
import { z } from 'zod';
import type { OrderRequest } from '../../trading/order.ts';
import type { Provenance } from '../../trading/proposal.ts';
import { parseJson } from '../../values/parse-json.ts';
import { parseNewestTurn } from '../reader/conversation.ts';

const RULE = 'rebalancing to the targets you named';

const answerSchema = z.lazy(() =>
  z.object({
    orders: z.array(z.record(z.string(), z.unknown())),
    targets: z.array(z.object({ symbol: z.string(), target: z.string() })),
  }),
);

/** The orders that suggest_rebalance computed, and the targets for which it computed them. */
export type Rebalancing = z.output<typeof answerSchema>;

export function findLatestRebalancing(messages: readonly BaseMessage[]): Rebalancing | undefined {
  const message = messages.findLast(
    (one) => ToolMessage.isInstance(one) && one.name === 'suggest_rebalance' && one.status !== 'error',
  );
  return message === undefined ? undefined : answerSchema.safeParse(parseJson(message.text)).data;
}

/**
 * Attributes orders to the rebalancing calculation if they are identical to the orders computed for the targets in
 * the person's latest message. Targets that a model chose remain attributed to the model.
 */
export function attributeRebalancing(
  { fields, ...rest }: Provenance,
  found: Rebalancing | undefined,
  said: readonly string[],
  orders: readonly OrderRequest[],
): Provenance {
  if (found === undefined || !isRequested(found, said) || comparableText(found.orders) !== comparableText(orders)) {
    return { ...rest, fields };
  }
  const computed = Object.entries(fields).map(([name, field]) => {
    if (field.source !== 'other') return [name, field];
    // `max_slippage` always comes from the profile, because the percentages in the person's words are target weights.
    const isDefault = name === 'max_slippage';
    return [name, isDefault ? { source: 'default' } : { source: 'computed', from: RULE }];
  });
  return { ...rest, fields: Object.fromEntries(computed) };
}

function isRequested({ targets }: Rebalancing, said: readonly string[]): boolean {
  const { parsed } = parseNewestTurn(said);
  const [intent] = 'intents' in parsed ? parsed.intents : [];
  if (intent?.kind !== 'rebalance') return false;
  const named = intent.targets.filter(({ symbol }) => symbol !== 'cash');
  return (
    named.length === targets.length &&
    named.every(({ symbol, weight }) => targets.some((one) => one.symbol === symbol && one.target === weight))
  );
}

function comparableText(orders: readonly object[]): string {
  return JSON.stringify(orders.map((order) => Object.entries(order).sort(([a], [b]) => (a < b ? -1 : 1))));
}
