import { type BaseMessage, ToolMessage } from '@langchain/core/messages';
import { z } from 'zod';
import { decimalString } from '../../trading/decimal.ts';
import { defined } from '../../values/defined.ts';
import { type NameFound, namesFoundSchema } from '../planner/symbols-by-name.ts';
import { prompts } from './message-history.ts';
import { latestRebalancing, type Rebalancing } from './rebalancing.ts';

/** What of a conversation tells where a proposal's fields come from. Plain data: it is kept with the proposal's state. */
export interface ConversationFacts {
  /** The person's own prompts, newest last. */
  readonly said: readonly string[];
  /** The program that put the newest prompt together, where no person said it. */
  readonly composedBy: string | undefined;
  /** What the account held when it was last looked at. */
  readonly positions: readonly {
    readonly symbol: string;
    readonly qty: string;
    readonly qty_available: string;
  }[];
  /** What names were found to be, in the asset list. */
  readonly names: readonly NameFound[];
  /** Open orders, when they were last looked at. */
  readonly openOrders: readonly { readonly id: string; readonly symbol: string }[];
  /** What was worked out last to reach targets. */
  readonly rebalancing?: Rebalancing;
}

const portfolioSchema = z.lazy(() =>
  z.object({
    positions: z.array(z.object({ symbol: z.string(), qty: decimalString, qty_available: decimalString })),
  }),
);
const ordersSchema = z.lazy(() =>
  z.object({ orders: z.array(z.object({ id: z.string(), symbol: z.string() })) }),
);

export function conversationFacts(messages: readonly BaseMessage[]): ConversationFacts {
  const asked = prompts(messages);
  const rebalancing = latestRebalancing(messages);
  return {
    said: asked.flatMap(({ text, composedBy }) => (composedBy === undefined ? [text] : [])),
    composedBy: asked.at(-1)?.composedBy,
    positions: latest(messages, 'get_portfolio', portfolioSchema)?.positions ?? [],
    names: messages.flatMap((message) => read(message, 'search_symbols', namesFoundSchema)?.results ?? []),
    openOrders: latest(messages, 'list_orders', ordersSchema)?.orders ?? [],
    ...defined({ rebalancing }),
  };
}

/** What a tool said last. */
function latest<T>(messages: readonly BaseMessage[], tool: string, schema: z.ZodType<T>): T | undefined {
  const message = messages.findLast((one) => ToolMessage.isInstance(one) && one.name === tool);
  return message === undefined ? undefined : read(message, tool, schema);
}

/** What a message says, where it is that tool's. */
function read<T>(message: BaseMessage, tool: string, schema: z.ZodType<T>): T | undefined {
  if (!(ToolMessage.isInstance(message) && message.name === tool)) return undefined;
  try {
    return schema.safeParse(JSON.parse(message.text)).data;
  } catch {
    return undefined;
  }
}
