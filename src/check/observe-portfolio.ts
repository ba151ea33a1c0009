import { formatDollarAmount, formatExactPercent, formatSignedPercent } from '../trading/amounts.ts';
import { abs, Dec } from '../trading/decimal.ts';
import { newYorkDate } from '../trading/new-york-time.ts';
import { type Drift, type DriftBand, driftFromTargets } from '../trading/portfolio/allocation.ts';
import { memoizePerObject } from '../values/memoize-per-object.ts';
import type { Figures } from './figures.ts';
import {
  compareWithLimits,
  createAccountObservation,
  createFractionLimits,
  createRuleLimits,
  type Observation,
  type ObservedRule,
  pointsRearmDistance,
  priceRearmDistance,
  type RuleLimits,
  toUncheckedRule,
  triggeredOrClear,
} from './observation.ts';
import type { RuleOf, RulesFile } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

type PortfolioRule = RuleOf<'ruin' | 'drift' | 'concentration' | 'cash' | 'drawdown' | 'loss'>;

const WEIGHT_RULES: readonly PortfolioRule['kind'][] = ['drift', 'concentration', 'cash'];

const HUNDRED = new Dec(100);

function weightText(fraction: Dec): string {
  return `${fraction.mul(HUNDRED).toFixed(1)}%`;
}

/**
 * Returns target weights as fractions of equity, without `cash`. Cached, because rules, suggestions and the result use
 * them.
 */
export const targetWeights = memoizePerObject(
  ({ targets = {} }: RulesFile): ReadonlyMap<string, Dec> =>
    new Map(
      Object.entries(targets).flatMap(([symbol, part]) =>
        symbol === 'cash' ? [] : [[symbol, new Dec(part)] as const],
      ),
    ),
);

export function toDriftBand({ band }: Pick<RuleOf<'drift'>, 'band'>) {
  return band === '5/25' ? ('five-25' as const) : { points: new Dec(band) };
}

const drifts = new WeakMap<Figures, { readonly file: RulesFile; readonly band: string; readonly drifts: Drift[] }>();

/** Returns drifts from the targets, cached because rules and suggestions mostly use the same band. */
export function cachedDrifts(file: RulesFile, figures: Figures, band: DriftBand): readonly Drift[] {
  const name = band === 'five-25' ? band : band.points.toFixed();
  const known = drifts.get(figures);
  if (known?.file === file && known.band === name) return known.drifts;
  const made = { file, band: name, drifts: driftFromTargets(targetWeights(file), figures.bySymbol, band) };
  drifts.set(figures, made);
  return made.drifts;
}

/** Checks a portfolio rule. Rules about weights can't be checked if the account's value is zero or negative. */
export function observePortfolio(
  rule: PortfolioRule,
  file: RulesFile,
  snapshot: Snapshot,
  figures: Figures,
): ObservedRule {
  if (rule.kind === 'loss' && rule.over === 'day' && figures.performance.dayProfit === null) {
    const text = 'the account’s value at the last close, and therefore today’s loss, is unknown';
    return toUncheckedRule(rule, 'no_value', text);
  }
  if (figures.equity.gt(0) || !WEIGHT_RULES.includes(rule.kind))
    return { observations: observationsOf(rule, file, snapshot, figures), blind: [] };
  if (snapshot.positions.length === 0 && figures.equity.isZero()) return { observations: [], blind: [] };
  const text = 'the account has no positive value, so there are no weights';
  return toUncheckedRule(rule, 'no_value', text);
}

function observationsOf(rule: PortfolioRule, file: RulesFile, snapshot: Snapshot, figures: Figures): Observation[] {
  switch (rule.kind) {
    case 'ruin':
      return [observeRuin(rule, figures)];
    case 'drift': {
      const limitsOf = driftLimits(rule);
      return cachedDrifts(file, figures, toDriftBand(rule)).map((drift) => ({
        rule,
        subject: drift.symbol,
        limitedBy: file.targets?.[drift.symbol] ?? '',
        state: drift.outside ? 'triggered' : compareWithLimits(abs(drift.drift), limitsOf(drift)),
        say: () => {
          const { symbol } = drift;
          const [weight, target] = [weightText(drift.weight), weightText(drift.target)];
          const points = formatSignedPercent(drift.drift);
          return {
            facts: { symbol, weight, target, drift: points, limit: weightText(drift.allowed) },
            text: `${symbol} is ${weight} of the account, target ${target}`,
          };
        },
      }));
    }
    case 'concentration': {
      const most = createFractionLimits(rule.above, rule.rearm);
      const shares = rule.by === 'symbol' ? figures.bySymbol : figures.bySector;
      return shares.flatMap(({ name, weight }) => {
        const state = compareWithLimits(weight, most);
        if (state === 'clear') return [];
        const say = () => ({
          facts: { name, weight: weightText(weight), limit: formatExactPercent(rule.above) },
          text: `${name} is ${weightText(weight)} of the account, more than ${formatExactPercent(rule.above)}`,
        });
        return [{ rule, subject: name, state, say }];
      });
    }
    case 'cash': {
      const weight = figures.cash.div(figures.equity);
      const [direction, limit] =
        rule.above === undefined ? (['below', rule.below ?? '0'] as const) : (['above', rule.above] as const);
      const { cash } = snapshot.account;
      const facts = { weight: weightText(weight), cash, limit: formatExactPercent(limit) };
      const text = `${facts.weight} of the account is cash (${formatDollarAmount(cash)}), ${direction} ${facts.limit}`;
      return [
        createAccountObservation(
          rule,
          compareWithLimits(weight, createFractionLimits(limit, rule.rearm, direction)),
          text,
          facts,
        ),
      ];
    }
    case 'drawdown': {
      const { current, mark } = figures.drawdowns;
      if (mark === undefined) return [];
      const facts = {
        drawdown: weightText(current),
        limit: formatExactPercent(rule.above),
        peak: mark.value.toFixed(2),
        peak_date: newYorkDate(mark.at),
      };
      const text = `the account is ${facts.drawdown} below its peak of ${formatDollarAmount(facts.peak)} on ${facts.peak_date}`;
      return [
        createAccountObservation(
          rule,
          compareWithLimits(current, createFractionLimits(rule.above, rule.rearm)),
          text,
          facts,
        ),
      ];
    }
    case 'loss':
      return observeLoss(rule, figures);
  }
}

function observeRuin(rule: RuleOf<'ruin'>, { equity, ruin, drawdowns }: Figures): Observation {
  const peak = drawdowns.mark?.value;
  const text =
    ruin === 'owes'
      ? `the account’s debts exceed its assets by ${formatDollarAmount(equity.neg().toFixed(2))}`
      : `the account is worth $0.00${peak?.gt(0) ? ` after a peak of ${formatDollarAmount(peak.toFixed(2))}` : ''}`;
  return createAccountObservation(rule, triggeredOrClear(ruin !== undefined), text, { equity: equity.toFixed(2) });
}

/**
 * Creates a function that returns a drift's limits. If the next drift has the same allowance, the limits are reused.
 */
function driftLimits({ rearm }: RuleOf<'drift'>): (drift: Drift) => RuleLimits {
  let last: { readonly allowed: Dec; readonly limits: RuleLimits } | undefined;
  return ({ allowed }) => {
    if (last?.allowed !== allowed)
      last = { allowed, limits: createRuleLimits(allowed, 'above', pointsRearmDistance(allowed, rearm)) };
    return last.limits;
  };
}

function observeLoss(rule: RuleOf<'loss'>, { performance }: Figures): Observation[] {
  const day = rule.over === 'day';
  const made = day ? performance.dayProfit : performance.totalProfit;
  const part = day ? performance.dayFraction : performance.totalFraction;
  if (made === null || part === null) return [];
  const [profit, fraction] = [new Dec(made), new Dec(part)];
  const { above, rearm } = rule;
  const inDollars = 'dollars' in above;
  const limit = inDollars ? above.dollars : above.fraction;
  const loss = (inDollars ? profit : fraction).neg();
  const back = inDollars ? priceRearmDistance(limit, rearm ?? '0.1') : pointsRearmDistance(limit, rearm);
  const facts = {
    loss: formatDollarAmount(profit.neg().toFixed(2)),
    fraction: formatSignedPercent(fraction.toFixed()),
    limit: inDollars ? formatDollarAmount(limit) : formatExactPercent(limit),
  };
  const text = `${day ? 'today’s loss' : 'the unrealized loss'} is ${facts.loss} (${facts.fraction})`;
  return [
    createAccountObservation(
      rule,
      compareWithLimits(loss, createRuleLimits(new Dec(limit), 'above', back)),
      text,
      facts,
    ),
  ];
}
