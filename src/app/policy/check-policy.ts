import { pairOf } from '../../agent/planner/coins.ts';
import { parsePrompt } from '../../agent/planner/sentence.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type OrderRequest, orderRequestSchema } from '../../trading/order.ts';
import { withDefaults } from '../../trading/order-defaults.ts';
import type { DecisionView } from '../../trading/policy-views.ts';
import { partOfPosition } from '../../trading/portfolio/allocation.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';

export interface CheckedPolicy {
  readonly order: OrderRequest;
  readonly decision: DecisionView;
}

/**
 * What would be decided about an order now. Nobody's phone rings.
 * @param sentence as the built-in planner reads it: `buy 5 AAPL limit 180`
 * @throws {TradeAgentError} `usage` for what is no order, `login_required`, and what completing an order throws
 */
export async function checkPolicy(app: Pick<App, 'gateway'>, sentence: string): Promise<CheckedPolicy> {
  const read = orderOf(sentence);
  const gateway = await app.gateway();
  const order =
    read.fraction === undefined
      ? read.order
      : { ...read.order, ...(await part(gateway, read.order.symbol, read.fraction)) };
  return { order, decision: await gateway.checkPolicy(order) };
}

/** The one order of a sentence. @throws {TradeAgentError} `usage` */
export function orderOf(sentence: string): { readonly order: OrderRequest; readonly fraction?: string } {
  const parsed = parsePrompt(sentence);
  if ('refusal' in parsed) {
    const { message, hint } = parsed.refusal;
    throw new TradeAgentError('usage', message, defined({ hint }));
  }
  const [intent, ...more] = parsed.intents;
  if (intent?.kind !== 'order' || more.length > 0) {
    throw new TradeAgentError('usage', 'that is not one order', {
      hint: 'For example: trade-agent policy check "buy 5 AAPL limit 180".',
    });
  }
  const { request, fraction, contract } = intent;
  if (contract !== undefined) {
    throw new TradeAgentError('usage', 'which contract that is, only the broker can tell', {
      hint: 'Name it by its symbol: trade-agent policy check "buy 1 AAPL261218C00190000 at 2.50".',
    });
  }
  const symbol = pairOf(String(request.symbol)) ?? request.symbol;
  return {
    order: orderRequestSchema.parse(withDefaults({ ...request, symbol })),
    ...defined({ fraction }),
  };
}

async function part(
  gateway: Awaited<ReturnType<App['gateway']>>,
  symbol: string,
  fraction: string,
): Promise<{ readonly qty: string }> {
  const held = (await gateway.positions()).find((position) => position.symbol === symbol);
  if (held !== undefined) return { qty: partOfPosition(fraction, held) };
  throw new TradeAgentError('invalid_order', `you hold no ${symbol}`, {
    hint: 'See "trade-agent portfolio".',
  });
}
