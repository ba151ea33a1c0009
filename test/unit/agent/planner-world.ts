import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { nextTurn } from '../../../src/agent/planner/planner.ts';
import { planLookups, planPriceLookups } from '../../../src/agent/planner/steps.ts';
import { parseNewestTurn } from '../../../src/agent/reader/conversation.ts';
import type { Intent } from '../../../src/agent/reader/intent.ts';
import { NotUnderstoodError, type PlannerRefusal } from '../../../src/agent/reader/refusal.ts';
import { english, type Say } from '../../../src/text/phrase.ts';
import { searchAssets } from '../../../src/trading/asset-name.ts';
import listed from '../../../src/trading/listed-stocks.json' with { type: 'json' };
import type { Order, Position } from '../../../src/trading/views.ts';
import { anOrder, aPosition, aQuote } from '../../fixtures/builders.ts';

const assets = listed.stocks.map(([symbol = '', name = '']) => ({ symbol, name }));

export const orderId = '61e69015-8549-4bfd-b9c3-01e75843f47d';

const position = (symbol: string, qty: string, price: string): Position => {
  const value = String(Number(qty) * Number(price));
  const amounts = { qty, qty_available: qty, current_price: price, market_value: value };
  return aPosition({ symbol, ...amounts });
};

export interface AccountWorld {
  readonly orders?: readonly Partial<Order>[];
}

function rebalanced(targets: readonly { symbol: string; weight: string }[]) {
  return {
    orders: targets.map(({ symbol }) => ({ symbol, side: 'buy', qty: '1', type: 'market' })),
    targets: targets.map(({ symbol, weight }) => ({ symbol, target: weight, weight: '0' })),
    left: [],
    without_target: [],
    simulated: true,
  };
}

const held = { AAPL: '10', MSFT: '12', NVDA: '20', KO: '40', TSLA: '30' };
/** Other prices are unknown. */
const prices = new Map([
  ['AAPL', '230'],
  ['MSFT', '420'],
  ['NVDA', '140'],
  ['KO', '60'],
  ['TSLA', '350'],
]);

function contentOf(name: string, args: Record<string, unknown>, world: AccountWorld): unknown {
  const orders = (world.orders ?? [{}]).map((each) => anOrder({ id: orderId, ...each }));
  switch (name) {
    case 'search_symbols':
      return {
        results: (args.queries as string[]).map((query) => ({
          query,
          assets: searchAssets(assets, query, 10),
        })),
      };
    case 'get_portfolio':
      return {
        account: { cash: '26960', equity: '50000' },
        positions: Object.entries(held).map(([symbol, qty]) => position(symbol, qty, prices.get(symbol) ?? '')),
      };
    case 'list_orders':
      return {
        status: args.status,
        orders: orders.filter(({ status }) => args.status !== 'open' || status === 'new'),
      };
    case 'get_quote':
      return {
        quotes: (args.symbols as string[]).flatMap((symbol) => {
          const last = prices.get(symbol);
          return last === undefined ? [] : [aQuote({ symbol, bid: last, ask: last, last, previous_close: last })];
        }),
      };
    case 'suggest_rebalance':
      return rebalanced(args.targets as { symbol: string; weight: string }[]);
    default:
      throw new TypeError(`${name} is no lookup`);
  }
}

export type Planned =
  | { readonly calls: readonly { readonly name: string; readonly args: Record<string, unknown> }[] }
  | { readonly refusal: PlannerRefusal }
  | { readonly text: string };

/** The planner's plan for the last turn, after its lookups. */
export function planned(turns: readonly string[], world: AccountWorld = {}, say: Say = english): Planned {
  const messages: BaseMessage[] = turns.map((turn) => new HumanMessage(turn));
  const { parsed } = parseNewestTurn(turns);
  if (!('intents' in parsed)) return nextTurn(messages, say);
  const waves = countLookups(parsed.intents, world);
  for (let wave = 0; wave < waves; wave += 1) {
    const turn = nextTurn(messages, say);
    if (!('calls' in turn)) return turn;
    messages.push(...answered(turn.calls, wave, world));
  }
  return nextTurn(messages, say);
}

/** Counts the rounds of lookups. A name that can't be resolved needs no second round, because the plan is a question. */
function countLookups(intents: readonly Intent[], world: AccountWorld): number {
  const wanted = planLookups(intents);
  const found = wanted.map((step) => ({ step, content: contentOf(step.name, step.args, world) }));
  try {
    return [wanted, planPriceLookups(intents, found)].filter((steps) => steps.length > 0).length;
  } catch (error) {
    if (error instanceof NotUnderstoodError) return wanted.length > 0 ? 1 : 0;
    throw error;
  }
}

function answered(
  calls: readonly { readonly name: string; readonly args: Record<string, unknown> }[],
  wave: number,
  world: AccountWorld,
): BaseMessage[] {
  const ids = calls.map((_, index) => `call_${wave}_${index}`);
  return [
    new AIMessage({
      content: '',
      tool_calls: calls.map(({ name, args }, index) => ({ id: ids[index] ?? '', name, args })),
    }),
    ...calls.map(
      ({ name, args }, index) =>
        new ToolMessage({
          tool_call_id: ids[index] ?? '',
          name,
          content: JSON.stringify(contentOf(name, args, world)),
        }),
    ),
  ];
}

/** In one line: `place_order buy 5 AAPL limit 180`; `asks` for a refusal. */
export function inShort(plan: Planned): string {
  if ('refusal' in plan) return 'asks';
  if ('text' in plan) return 'help';
  return plan.calls
    .map(({ name, args }) => {
      const { side, qty, notional, symbol, symbols, type, ...terms } = args;
      const amount = notional === undefined ? qty : `$${notional}`;
      const words = [side, amount, symbol, ...((symbols as string[] | undefined) ?? [])];
      const rest = Object.entries(terms).map(([field, value]) => `${field}=${value}`);
      return [name, ...words, type === 'market' ? undefined : type, ...rest]
        .filter((word) => word !== undefined)
        .join(' ');
    })
    .join(' + ');
}

/** One a line: `sentence => calls`. */
export function sentences(table: string): (readonly [string, string])[] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [said = '', calls = ''] = line.trim().split(' => ');
      return [said, calls];
    });
}
