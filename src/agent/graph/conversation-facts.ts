import { type BaseMessage, ToolMessage } from '@langchain/core/messages';
import { z } from 'zod';
import { decimalString } from '../../trading/decimal.ts';
import { defined } from '../../values/defined.ts';
import { parseJson } from '../../values/parse-json.ts';
import { heldPortfolioSchema, type KnownPrice, priceSchema } from '../planner/derived-order.ts';
import type { KnownOrder } from '../reader/order-traits.ts';
import { type NameSearchResult, nameSearchSchema } from '../reader/symbols-by-name.ts';
import { extractPrompts } from './message-history.ts';
import { findLatestRebalancing, type Rebalancing } from './rebalancing.ts';

/** Facts about a conversation from which provenance is computed: plain data, stored with the proposal's state. */
export interface ConversationFacts {
  /** The person's own prompts, newest last. */
  readonly said: readonly string[];
  readonly composedBy: string | undefined;
  readonly positions: readonly {
    readonly symbol: string;
    readonly qty: string;
    readonly qty_available: string;
    readonly avg_entry_price?: string | undefined;
  }[];
  /** The account's cash and value, if they appear in the conversation. */
  readonly account?: { readonly cash?: string | undefined; readonly equity?: string | undefined };
  /** The newest prices, by symbol. */
  readonly prices?: readonly KnownPrice[];
  readonly names: readonly NameSearchResult[];
  readonly openOrders: readonly ({ readonly id: string; readonly symbol: string } & KnownOrder)[];
  readonly rebalancing?: Rebalancing;
}

const quotesSchema = z.lazy(() => z.object({ quotes: z.array(priceSchema) }));
const price = () => decimalString.nullish();
const ordersSchema = z.lazy(() =>
  z.object({
    orders: z.array(
      z.object({
        id: z.string(),
        symbol: z.string(),
        side: z.string().optional(),
        type: z.string().optional(),
        qty: price(),
        limit_price: price(),
        stop_price: price(),
      }),
    ),
  }),
);

export function collectConversationFacts(messages: readonly BaseMessage[]): ConversationFacts {
  const asked = extractPrompts(messages);
  const rebalancing = findLatestRebalancing(messages);
  const portfolio = latestToolResult(messages, 'get_portfolio', heldPortfolioSchema);
  const prices = messages.flatMap((message) => parseToolResult(message, 'get_quote', quotesSchema)?.quotes ?? []);
  return {
    said: asked.flatMap(({ text, composedBy }) => (composedBy === undefined ? [text] : [])),
    composedBy: asked.at(-1)?.composedBy,
    positions: portfolio?.positions ?? [],
    ...defined({ account: portfolio?.account }),
    prices: prices.filter(({ symbol }, at) => prices.findLastIndex((one) => one.symbol === symbol) === at),
    names: messages.flatMap((message) => parseToolResult(message, 'search_symbols', nameSearchSchema)?.results ?? []),
    openOrders: latestToolResult(messages, 'list_orders', ordersSchema)?.orders ?? [],
    ...defined({ rebalancing }),
  };
}

function latestToolResult<T>(messages: readonly BaseMessage[], tool: string, schema: z.ZodType<T>): T | undefined {
  const message = messages.findLast((one) => ToolMessage.isInstance(one) && one.name === tool);
  return message === undefined ? undefined : parseToolResult(message, tool, schema);
}

function parseToolResult<T>(message: BaseMessage, tool: string, schema: z.ZodType<T>): T | undefined {
  if (!(ToolMessage.isInstance(message) && message.name === tool)) return undefined;
  return schema.safeParse(parseJson(message.text)).data;
}
