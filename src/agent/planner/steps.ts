import { z } from 'zod';
import { Dec } from '../../trading/decimal.ts';
import { describeOpenOrder } from '../../trading/open-order.ts';
import { orderSchema, positionSchema } from '../../trading/views.ts';
import { partOfPosition } from './position-part.ts';
import type { Intent } from './sentence.ts';
import { NotUnderstood } from './words.ts';

/** A tool call the planner wants made. */
export interface Step {
  readonly name: string;
  readonly args: Record<string, unknown>;
}

const portfolio = z.lazy(() => z.object({ positions: z.array(positionSchema) }));
const orders = z.lazy(() => z.object({ orders: z.array(orderSchema) }));

/** What must be known before the rest can be planned: the holdings for "half my MSFT", the open orders for a cancel. */
export function lookups(intents: readonly Intent[]): Step[] {
  const steps: Step[] = [];
  if (intents.some((intent) => intent.kind === 'order' && intent.fraction !== undefined)) {
    steps.push({ name: 'get_portfolio', args: {} });
  }
  if (intents.some((intent) => intent.kind === 'cancel' && !('id' in intent.which))) {
    steps.push({ name: 'list_orders', args: { status: 'open', limit: 100 } });
  }
  return steps;
}

/**
 * Every call the intents come to, in their order; `found` holds what the lookups answered, by tool.
 * @throws {NotUnderstood} where what was looked up makes one of them impossible
 */
export function steps(intents: readonly Intent[], found: ReadonlyMap<string, unknown>): Step[] {
  return intents.flatMap((intent) => stepsOf(intent, found));
}

function stepsOf(intent: Intent, found: ReadonlyMap<string, unknown>): Step[] {
  switch (intent.kind) {
    case 'whoami':
      return [{ name: 'whoami', args: {} }];
    case 'portfolio':
      return [{ name: 'get_portfolio', args: {} }];
    case 'quote':
      return [{ name: 'get_quote', args: { symbols: intent.symbols } }];
    case 'orders':
      return [{ name: 'list_orders', args: { status: intent.status } }];
    case 'order':
      return [
        { name: 'place_order', args: { ...intent.request, ...partOf(intent, found.get('get_portfolio')) } },
      ];
    case 'cancel':
      return toCancel(intent, found.get('list_orders')).map((order_id) => ({
        name: 'cancel_order',
        args: { order_id },
      }));
    case 'send':
      return [{ name: `send_${intent.service}_summary`, args: { recipient: intent.recipient } }];
    case 'help':
      return [];
  }
}

function partOf(intent: Intent & { kind: 'order' }, answer: unknown): { qty?: string } {
  if (intent.fraction === undefined) return {};
  const { symbol } = intent.request;
  const held = portfolio.parse(answer).positions.find((position) => position.symbol === symbol);
  if (held === undefined || new Dec(held.qty_available).lte(0)) {
    throw new NotUnderstood(
      held === undefined ? `You hold no ${symbol}.` : `All your ${symbol} is on sale already.`,
      'Ask "what do I own" to see your positions.',
      'invalid_order',
    );
  }
  return { qty: partOfPosition(intent.fraction, held) };
}

function toCancel({ which }: Intent & { kind: 'cancel' }, answer: unknown): string[] {
  if ('id' in which) return [which.id];
  const open = orders.parse(answer).orders;
  if ('all' in which) return open.map(({ id }) => id);
  const matching = open.filter(({ symbol }) => symbol === which.symbol);
  if (matching.length === 0) {
    throw new NotUnderstood(
      `You have no open ${which.symbol} order.`,
      'Ask "open orders" to see them.',
      'not_found',
    );
  }
  if (matching.length > 1 && !which.many) {
    const list = matching.map((order) => `${order.id} (${describeOpenOrder(order)})`).join(', ');
    throw new NotUnderstood(
      `You have ${matching.length} open ${which.symbol} orders: ${list}.`,
      `Write "cancel order ID", or "cancel all ${which.symbol} orders".`,
    );
  }
  return matching.map(({ id }) => id);
}
