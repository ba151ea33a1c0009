import type { CheckSnapshot } from '../store/check-store.ts';
import { Dec } from '../trading/decimal.ts';
import { mustWaitForOpen, symbolMarketClock } from '../trading/market-open.ts';
import { describeOrder, type OrderRequest } from '../trading/order.ts';
import type { PeriodReturn } from '../trading/portfolio/time-weighted.ts';
import { computePortfolioFigures, type Figures } from './figures.ts';
import { type FiredRules, fireRules, ruleDefinitionDigest } from './firing.ts';
import { type Observations, observeRules } from './observe.ts';
import { marketClosures } from './observe-account.ts';
import type { CheckResult } from './result-schema.ts';
import { type RuleOf, type RulesFile, ruleSchema } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';
import { suggestOrders } from './suggest.ts';

interface CheckInput {
  readonly file: RulesFile;
  readonly rulesFile: string | undefined;
  readonly snapshot: Snapshot;
  readonly memory: CheckSnapshot;
  readonly sectorOf: (symbol: string) => string | undefined;
  /** Set only if the check should suggest orders. `awaited`: symbols whose orders are already waiting for approval. */
  readonly suggest?: {
    readonly awaited: ReadonlySet<string>;
    readonly buyOnly?: boolean;
    /** Returns whether the conversation proposed an order for the symbol. False if its run failed before that. */
    readonly wasAsked: (thread: string, symbol: string) => boolean;
  };
}

export interface SuggestedProposal {
  readonly request: OrderRequest;
  readonly rule: { readonly name: string; readonly definition: string } | undefined;
}

export interface CompletedCheck {
  readonly result: CheckResult;
  readonly figures: Figures;
  readonly firing: FiredRules;
  readonly proposals: readonly SuggestedProposal[];
}

export function checkPortfolio(given: CheckInput): CompletedCheck {
  const input = { ...given, file: withRuinRule(given.file) };
  const { file, snapshot, memory } = input;
  const sectorOf = (symbol: string) =>
    Object.hasOwn(file.sectors, symbol) ? file.sectors[symbol] : input.sectorOf(symbol);
  const figures = computePortfolioFigures(snapshot, { sectorOf, mark: memory.mark() });
  const look = observeRules(file, snapshot, figures);
  const firing = fireRules(look, memory.fired(), snapshot.now, new Set(file.rules.map(({ name }) => name)));
  const { proposals, suggestion } = buildProposals(input, look, figures);
  const result = { ...checkResult(input, figures, look, firing), suggestion };
  return { result, figures, firing, proposals };
}

/** Adds the built-in ruin rule, unless the file has a ruin rule, even one that is turned off. */
function withRuinRule(file: RulesFile): RulesFile {
  if (file.rules.some(({ kind }) => kind === 'ruin')) return file;
  const taken = new Set(file.rules.map(({ name }) => name));
  let name = 'ruin';
  for (let number = 2; taken.has(name); number++) name = `ruin-${number}`;
  return { ...file, rules: [...file.rules, ruleSchema.parse({ name, kind: 'ruin' })] };
}

function buildProposals(
  { suggest, file, snapshot, memory }: CheckInput,
  look: Observations,
  figures: Figures,
): { proposals: SuggestedProposal[]; suggestion: CheckResult['suggestion'] } {
  if (suggest === undefined) return { proposals: [], suggestion: null };
  const left: { symbol: string; reason: string }[] = [];
  const conditional = look.observations.flatMap(({ rule, state }): (SuggestedProposal & { spends: Dec })[] => {
    if (rule.kind !== 'order' || state !== 'triggered' || (rule.snooze ?? 0) > snapshot.now) return [];
    const definition = ruleDefinitionDigest(rule);
    const earlier = memory.proposed(rule.name, definition);
    if (earlier !== undefined && (earlier.asked || suggest.wasAsked(earlier.thread, rule.symbol))) return [];
    if (suggest.awaited.has(rule.symbol)) return [];
    const request: OrderRequest = { ...rule.order, symbol: rule.symbol };
    if (mustWaitForOpen(request, symbolMarketClock(request.symbol, snapshot.clock))) {
      left.push({ symbol: rule.symbol, reason: 'market_closed' });
      return [];
    }
    return [{ request, rule: { name: rule.name, definition }, spends: orderCost(request, rule, snapshot) }];
  });
  // The person's own conditional orders take precedence, so rebalancing excludes their symbols and the cash that they
  // need.
  const spent = conditional.reduce((sum, { spends }) => sum.plus(spends), new Dec(0));
  const awaited = new Set([...suggest.awaited, ...conditional.map(({ request }) => request.symbol)]);
  const { cash, buying_power } = snapshot.account;
  const free = Dec.max(0, Dec.min(cash, buying_power).minus(spent)).toFixed();
  const spendable = { ...snapshot, account: { ...snapshot.account, cash: free } };
  const rebalancing = suggestOrders(file, spendable, figures, { ...suggest, awaited });
  const placeable = (rebalancing?.orders ?? []).filter(({ request }) => {
    if (!mustWaitForOpen(request, symbolMarketClock(request.symbol, snapshot.clock))) return true;
    left.push({ symbol: request.symbol, reason: 'market_closed' });
    return false;
  });
  return {
    proposals: [
      ...conditional.map(({ request, rule }) => ({ request, rule })),
      ...placeable.map(({ request }) => ({ request, rule: undefined })),
    ],
    suggestion: {
      left: [...(rebalancing?.left ?? []), ...left],
      orders: [
        ...conditional.map(({ request, rule }) => suggestedOrder(request, null, rule?.name ?? describeOrder(request))),
        ...placeable.map(({ request, amount, reason }) => suggestedOrder(request, money(amount), reason)),
      ],
    },
  };
}

function orderCost(request: OrderRequest, { symbol }: RuleOf<'order'>, { quotes }: Snapshot): Dec {
  if (request.side === 'sell') return new Dec(0);
  if (request.notional !== undefined) return new Dec(request.notional);
  const quote = quotes.get(symbol);
  const price = request.limit_price ?? request.stop_price ?? quote?.ask ?? quote?.last ?? '0';
  return new Dec(request.qty ?? 0).mul(price);
}

/** How far ahead every check result lists market closures. */
const CLOSURES_AHEAD_MS = 14 * 86_400_000;

const money = (value: Dec) => value.toFixed(2);
const rate = (value: Dec) => value.toDecimalPlaces(12).toFixed();
const time = (at: number) => new Date(at).toISOString();
const orNull = <T, Told>(value: T | undefined, tell: (value: T) => Told): Told | null =>
  value === undefined ? null : tell(value);
const returns = (value: PeriodReturn | undefined) =>
  orNull(value, ({ period, annual, days, ended, began }) => ({
    period: rate(period),
    annual: orNull(annual, rate),
    days: Math.round(days * 100) / 100,
    ...(ended !== undefined && { ended: time(ended) }),
    ...(began !== undefined && { began: time(began) }),
  }));

function checkResult(
  { rulesFile, snapshot, file }: CheckInput,
  figures: Figures,
  look: Observations,
  firing: FiredRules,
): CheckResult {
  const { account, clock } = snapshot;
  const { performance, drawdowns, realized, income } = figures;
  const shares = (list: Figures['bySymbol']) =>
    list.map(({ name, value, weight }) => ({ name, value: money(value), weight: rate(weight) }));
  const by_symbol = shares(figures.bySymbol);
  const weights = new Map(by_symbol.map(({ name, weight }) => [name, weight]));
  return {
    schema: 'trade-agent.check/1',
    status: firing.findings.length > 0 ? 'found' : 'clear',
    checked_at: time(snapshot.now),
    rules_file: rulesFile ?? null,
    account: { account: account.account, environment: account.environment, simulated: account.simulated },
    market: {
      is_open: clock.is_open,
      next_open: clock.next_open,
      next_close: clock.next_close,
      closures: marketClosures(snapshot, CLOSURES_AHEAD_MS),
    },
    findings: [...firing.findings],
    ongoing: [...firing.ongoing],
    snoozed: [...firing.snoozed],
    skipped: look.skipped.map(({ rule, reason }) => ({ rule: rule.name, reason })),
    figures: {
      equity: money(figures.equity),
      cash: money(figures.cash),
      cash_weight: performance.cashWeight,
      day_profit: performance.dayProfit,
      day_return: performance.dayFraction,
      unrealized: performance.totalProfit,
      unrealized_return: performance.totalFraction,
      realized_fifo: orNull(realized?.fifo, money),
      realized_average_cost: orNull(realized?.average, money),
      realized_incomplete: [...(realized?.uncovered ?? [])],
      dividends: orNull(income?.dividends, money),
      interest: orNull(income?.interest, money),
      fees: orNull(income?.fees, money),
      time_weighted_return: returns(figures.timeWeighted),
      money_weighted_return: returns(figures.moneyWeighted),
      benchmark: benchmarkView(snapshot, figures),
      volatility: orNull(figures.volatility, rate),
      drawdown: rate(drawdowns.current),
      high_water_mark: orNull(drawdowns.mark, ({ value, at }) => ({ value: money(value), at: time(at) })),
      worst_drawdown: orNull(drawdowns.worst, ({ fraction, peakAt, troughAt, recoveredAt }) => ({
        fraction: rate(fraction),
        peak_at: time(peakAt),
        trough_at: time(troughAt),
        recovered_at: orNull(recoveredAt, time),
      })),
      by_symbol,
      by_sector: shares(figures.bySector),
      incomplete: figures.incomplete.map(({ figures: named, reason }) => ({ figures: [...named], reason })),
    },
    targets: Object.entries(file.targets ?? {})
      .filter(([symbol]) => symbol !== 'cash')
      .map(([symbol, target]) => ({ symbol, target, weight: weights.get(symbol) ?? '0' })),
    suggestion: null,
    proposals: [],
    notices: [],
    notes: [...snapshot.notes],
  };
}

function benchmarkView({ benchmark }: Snapshot, figures: Figures): CheckResult['figures']['benchmark'] {
  const own = figures.timeWeighted;
  const other = figures.benchmark && returns(figures.benchmark);
  if (benchmark === undefined || own === undefined || !other) return null;
  return { symbol: benchmark.symbol, return: other, excess: rate(own.period.minus(other.period)) };
}

/** Returns a suggested order for the result. @param amount dollars; null if a rule specifies the order */
function suggestedOrder(request: OrderRequest, amount: string | null, reason: string) {
  const { symbol, side, qty = null, notional = null, type, limit_price = null } = request;
  return { symbol, side, qty, notional, type, limit_price, amount, reason };
}
