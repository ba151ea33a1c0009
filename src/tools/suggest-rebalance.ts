import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { Dec, decimalString, ZERO } from '../trading/decimal.ts';
import { MAX_BATCH_ORDERS } from '../trading/kinds/batch.ts';
import { symbolSchema } from '../trading/order.ts';
import { driftFromTargets, type PortfolioWeight, weightsBySymbol } from '../trading/portfolio/allocation.ts';
import { planRebalancing, type RebalancingPlan } from '../trading/portfolio/rebalance.ts';
import { MIN_SHARE_FRACTION, tradablesBySymbol } from '../trading/portfolio/tradables.ts';
import type { Proposal } from '../trading/proposal.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { readOpenOrders } from './order-pages.ts';
import type { OwnTargets } from './own-rules.ts';
import { defineTool, formatCount, omittedCount, requireGateway, type ToolContext } from './tool.ts';

const SYMBOLS_PER_REQUEST = 50;

const argumentsSchema = z.lazy(() =>
  z.strictObject({
    targets: z
      .array(
        z.strictObject({
          symbol: symbolSchema,
          weight: decimalString.describe('A fraction of the account’s equity: "0.6" is 60%'),
        }),
      )
      .min(1)
      .max(MAX_BATCH_ORDERS)
      .optional()
      .describe(
        'The weights that the user named, at most 1 in total; the rest stays in cash. If omitted, the targets of the rules file',
      ),
    buy_only: z.boolean().default(false).describe('True to suggest no sales'),
    fractional: z.boolean().default(false).describe('True to allow fractions of a share; false for whole shares only'),
  }),
);

export const suggestRebalance = defineTool({
  name: 'suggest_rebalance',
  title: 'Plan a rebalancing',
  description:
    'Returns the fewest orders that bring the account to its targets by symbol: sales first, then purchases with the available cash. It proposes nothing: pass its "orders" to place_orders (a single one to place_order). Symbols without a target stay as they are.',
  schema: argumentsSchema,
  scopes: ['market:read', 'portfolio:read', 'orders:read'],
  risk: 'read',
  async execute(context, args) {
    const gateway = requireGateway(context);
    const wanted = await resolveTargets(context, args);
    const symbols = [...wanted.targets.keys()];
    const [account, positions, openOrders, proposals, quotes] = await Promise.all([
      gateway.account(),
      gateway.positions(),
      readOpenOrders(gateway),
      gateway.proposals({ state: 'open' }),
      readQuotes(gateway, symbols),
    ]);
    const equity = new Dec(account.equity);
    const weights = weightsBySymbol(positions, equity);
    const awaited = new Set(proposals.flatMap(proposedSymbols));
    const { options } = wanted;
    const found = planRebalancing(
      driftFromTargets(wanted.targets, weights, wanted.band),
      tradablesBySymbol(symbols, { quotes, positions, openOrders }, weights, awaited),
      { equity, cash: Dec.min(account.cash, account.buying_power) },
      { ...options, cashReserve: Dec.max(options.cashReserve, wanted.cash.mul(equity)) },
    );
    const orders = found.orders.slice(0, MAX_BATCH_ORDERS);
    return {
      summary: `${formatCount(orders.length, 'order')}${found.left.length === 0 ? '' : `, ${found.left.length} left`}`,
      content: JSON.stringify({
        orders: orders.map(({ request }) => request),
        ...omittedCount(found.orders.length, MAX_BATCH_ORDERS),
        ...currentWeights(wanted.targets, weights, found),
        equity: account.equity,
        cash: account.cash,
        simulated: account.simulated,
      }),
    };
  },
});

function currentWeights(
  targets: ReadonlyMap<string, Dec>,
  weights: readonly PortfolioWeight[],
  { left }: RebalancingPlan,
) {
  const weightOf = new Map(weights.map(({ name, weight }) => [name, weight]));
  const rate = (value: Dec) => value.toDecimalPlaces(6).toFixed();
  return {
    targets: [...targets].map(([symbol, target]) => ({
      symbol,
      target: rate(target),
      weight: rate(weightOf.get(symbol) ?? ZERO),
    })),
    left,
    without_target: weights.filter(({ name }) => !targets.has(name)).map(({ name }) => name),
  };
}

/** Returns the targets in the arguments, or else the targets in the rules file. @throws {TradeAgentError} `usage` */
async function resolveTargets(
  { ownRules }: ToolContext,
  { targets, buy_only, fractional }: z.output<typeof argumentsSchema>,
): Promise<OwnTargets> {
  if (targets !== undefined) {
    const parts = new Map(targets.map(({ symbol, weight }) => [symbol, new Dec(weight)]));
    const whole = [...parts.values()].reduce((sum, part) => sum.plus(part), ZERO);
    if (parts.size < targets.length) throw invalidTargets('a symbol has two targets');
    if ([...parts.values()].some((part) => part.isNegative())) throw invalidTargets('a target is negative');
    if (whole.gt(1)) throw invalidTargets(`the targets add up to ${whole.mul(100).toFixed()}%`);
    return {
      targets: parts,
      cash: new Dec(1).minus(whole),
      band: { points: ZERO },
      options: {
        buyOnly: buy_only,
        minOrder: new Dec(1),
        lot: new Dec(fractional ? MIN_SHARE_FRACTION : 1),
        cashReserve: ZERO,
        orderType: 'limit',
        slack: new Dec('0.005'),
      },
    };
  }
  const own = await ownRules?.targets();
  if (own === undefined) {
    throw new TradeAgentError('usage', 'targets: there is no rules file with targets', {
      hint: 'Give each symbol its weight, "0.6" for 60%.',
    });
  }
  return buy_only ? { ...own, options: { ...own.options, buyOnly: true } } : own;
}

function invalidTargets(message: string): TradeAgentError {
  return new TradeAgentError('usage', `targets: ${message}`, {
    hint: 'Give each symbol once, with its fraction of the account; at most 1 in total.',
  });
}

async function readQuotes(gateway: GatewayClient, symbols: readonly string[]) {
  const all = [];
  for (let from = 0; from < symbols.length; from += SYMBOLS_PER_REQUEST)
    all.push(...(await gateway.quotes(symbols.slice(from, from + SYMBOLS_PER_REQUEST))));
  return new Map(all.map((quote) => [quote.symbol, quote]));
}

/** Returns the symbols of an open proposal. The tool suggests no further orders for these symbols. */
function proposedSymbols(proposal: Proposal): string[] {
  if (proposal.kind === 'order') return [proposal.subject.symbol];
  if (proposal.kind === 'batch') return proposal.subject.orders.map(({ symbol }) => symbol);
  return [];
}
