import { dollars, percent, signedPercent } from '../trading/amounts.ts';
import { Dec } from '../trading/decimal.ts';
import { newYorkDate } from '../trading/new-york-time.ts';
import { driftFrom } from '../trading/portfolio/allocation.ts';
import type { Figures } from './figures.ts';
import { level, type Observation, pointsBack, priceBack } from './observation.ts';
import type { RuleOf, RulesFile } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

type PortfolioRule = RuleOf<'drift' | 'concentration' | 'cash' | 'drawdown' | 'loss'>;

/** `12.3%`, of a fraction. */
export function weightText(fraction: Dec): string {
  return `${fraction.mul(100).toFixed(1)}%`;
}

/** The symbols' targets, fractions of equity; `cash` is none. */
export function targetsOf({ targets = {} }: RulesFile): Map<string, Dec> {
  return new Map(
    Object.entries(targets).flatMap(([symbol, part]) =>
      symbol === 'cash' ? [] : [[symbol, new Dec(part)] as const],
    ),
  );
}

/** The band of a drift rule as the maths takes it. */
export function bandOf({ band }: Pick<RuleOf<'drift'>, 'band'>) {
  return band === '5/25' ? ('five-25' as const) : { points: new Dec(band) };
}

/** What the rules about the portfolio as a whole see. An account without any money weighs nothing up. */
export function observePortfolio(
  rule: PortfolioRule,
  file: RulesFile,
  snapshot: Snapshot,
  figures: Figures,
): Observation[] {
  if (figures.equity.lte(0)) return [];
  switch (rule.kind) {
    case 'drift':
      return driftFrom(targetsOf(file), figures.bySymbol, bandOf(rule)).map((drift) => ({
        rule,
        subject: drift.symbol,
        state: level(drift.drift.abs(), drift.allowed, 'above', pointsBack(drift.allowed, rule.rearm)),
        say: () => ({
          facts: {
            symbol: drift.symbol,
            weight: weightText(drift.weight),
            target: weightText(drift.target),
            drift: signedPercent(drift.drift.toDecimalPlaces(6).toFixed()),
            limit: weightText(drift.allowed),
          },
          text: `${drift.symbol} is ${weightText(drift.weight)} of the account, target ${weightText(drift.target)}`,
        }),
      }));
    case 'concentration':
      return (rule.by === 'symbol' ? figures.bySymbol : figures.bySector).map(({ name, weight }) => ({
        rule,
        subject: name,
        state: level(weight, new Dec(rule.above), 'above', pointsBack(rule.above, rule.rearm)),
        say: () => ({
          facts: { name, weight: weightText(weight), limit: percent(rule.above) },
          text: `${name} is ${weightText(weight)} of the account, more than ${percent(rule.above)}`,
        }),
      }));
    case 'cash': {
      const weight = figures.cash.div(figures.equity);
      const [direction, limit] =
        rule.above === undefined ? (['below', rule.below ?? '0'] as const) : (['above', rule.above] as const);
      return [
        {
          rule,
          subject: '',
          state: level(weight, new Dec(limit), direction, pointsBack(limit, rule.rearm)),
          say: () => ({
            facts: { weight: weightText(weight), cash: snapshot.account.cash, limit: percent(limit) },
            text: `${weightText(weight)} of the account is cash (${dollars(snapshot.account.cash)}), ${direction} ${percent(limit)}`,
          }),
        },
      ];
    }
    case 'drawdown': {
      const { current, mark } = figures.drawdowns;
      if (mark === undefined) return [];
      const peak_date = newYorkDate(mark.at);
      return [
        {
          rule,
          subject: '',
          state: level(current, new Dec(rule.above), 'above', pointsBack(rule.above, rule.rearm)),
          say: () => ({
            facts: {
              drawdown: weightText(current),
              limit: percent(rule.above),
              peak: mark.value.toFixed(2),
              peak_date,
            },
            text: `the account is ${weightText(current)} below its peak of ${dollars(mark.value.toFixed(2))} on ${peak_date}`,
          }),
        },
      ];
    }
    case 'loss':
      return [observeLoss(rule, figures)];
  }
}

function observeLoss(rule: RuleOf<'loss'>, { performance }: Figures): Observation {
  const day = rule.over === 'day';
  const profit = new Dec(day ? performance.dayProfit : performance.totalProfit);
  const fraction = new Dec(day ? performance.dayFraction : performance.totalFraction);
  const { above, rearm } = rule;
  const inDollars = 'dollars' in above;
  const limit = inDollars ? above.dollars : above.fraction;
  const loss = (inDollars ? profit : fraction).neg();
  const back = inDollars ? priceBack(limit, rearm ?? '0.1') : pointsBack(limit, rearm);
  const lost = dollars(profit.neg().toFixed(2));
  return {
    rule,
    subject: '',
    state: level(loss, new Dec(limit), 'above', back),
    say: () => ({
      facts: {
        loss: lost,
        fraction: signedPercent(fraction.toFixed()),
        limit: inDollars ? dollars(limit) : percent(limit),
      },
      text: `${day ? 'today’s loss' : 'the unrealized loss'} is ${lost} (${signedPercent(fraction.toFixed())})`,
    }),
  };
}
