import { dollars, sharePrice, shares, signedDollars, signedPercent } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { portfolioView } from '../../trading/portfolio/portfolio-view.ts';
import { sparkline } from '../../trading/sparkline.ts';
import type { Account, Bar, MarketClock, Position } from '../../trading/views.ts';
import type { View as AnyView } from './steps.ts';

type View = Exclude<AnyView, { figure: unknown }>;

interface Portfolio {
  readonly account: Account;
  readonly positions: readonly Position[];
}

export function viewed({ account, positions }: Portfolio, view: View): string {
  const note = account.simulated ? ' Prices are simulated.' : '';
  return `${'symbol' in view ? position(positions, view.symbol) : figure(account, positions, view.view)}${note}`;
}

function position(positions: readonly Position[], wanted: string): string {
  const held = positions.find(({ symbol }) => symbol === wanted);
  return held === undefined ? `You hold no ${wanted}.` : `You hold ${inWords(held)}.`;
}

function inWords({ symbol, side, qty, market_value, unrealized_pl, unrealized_plpc }: Position): string {
  const short = side === 'short' ? ' short' : '';
  return `${shares(qty)} ${symbol}${short}, worth ${dollars(market_value)} (${signedDollars(unrealized_pl)}, ${signedPercent(unrealized_plpc)})`;
}

function figure(
  account: Account,
  positions: readonly Position[],
  view: Extract<View, { view: unknown }>['view'],
): string {
  const figures = portfolioView(account, positions);
  if (view === 'day') {
    if (figures.day_change === null || figures.day_change_fraction === null) {
      return `I can't tell today's change: your broker does not report what the account was worth at the last close. Equity ${dollars(account.equity)}.`;
    }
    return `Today ${signedDollars(figures.day_change)} (${signedPercent(figures.day_change_fraction)}), deposits and withdrawals counted: equity ${dollars(account.equity)}.`;
  }
  if (view === 'total') {
    return `Open positions ${signedDollars(figures.total.unrealized)} (${signedPercent(figures.total.unrealized_fraction)} of what they cost).`;
  }
  const by = (one: Position): Dec =>
    view === 'biggest' ? new Dec(one.market_value).abs() : new Dec(one.unrealized_plpc);
  const sorted = positions.toSorted((one, two) => by(two).comparedTo(by(one)));
  const found = view === 'worst' ? sorted.at(-1) : sorted[0];
  if (found === undefined) return 'You have no positions.';
  const weight = figures.rows.find(({ symbol }) => symbol === found.symbol)?.weight ?? '0';
  const what = { biggest: 'biggest position', best: 'best position', worst: 'worst position' }[view];
  return `Your ${what} is ${inWords(found)}, ${percent(weight)} of your equity.`;
}

function percent(fraction: string): string {
  return `${new Dec(fraction).times(100).toFixed(1)}%`;
}

const CHART_WIDTH = 60;

export function history({
  symbol,
  bars,
}: {
  readonly symbol: string;
  readonly bars: readonly Bar[];
}): string {
  const [first] = bars;
  const last = bars.at(-1);
  if (first === undefined || last === undefined || bars.length < 2)
    return `There are too few prices of ${symbol} to draw.`;
  const change = new Dec(last.close).minus(first.close);
  const fraction = change.div(first.close).toDecimalPlaces(8).toFixed();
  const closes = bars.map(({ close }) => close);
  const [low, high] = [Dec.min(...closes), Dec.max(...closes)].map((price) => sharePrice(price.toFixed()));
  return [
    `${symbol} from ${first.at.slice(0, 10)} to ${last.at.slice(0, 10)}: ${sharePrice(first.close)} to ${sharePrice(last.close)}, ${signedDollars(change.toFixed(2))} (${signedPercent(fraction)}); low ${low}, high ${high}.`,
    `\`${sparkline(closes, CHART_WIDTH, true)}\``,
  ].join('\n\n');
}

/** Times in the exchange's own format. */
export function hours({ is_open, next_open, next_close }: MarketClock): string {
  return is_open
    ? `The market is open. It closes at ${moment(next_close)}.`
    : `The market is closed. It opens at ${moment(next_open)}.`;
}

/** `2026-11-27 09:30 (UTC-05:00)` */
function moment(at: string): string {
  const parts = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::[\d.]+)?(Z|[+-]\d{2}:\d{2})$/.exec(at);
  if (parts === null) return at;
  const [, date, time, zone] = parts;
  return `${date} ${time} (UTC${zone === 'Z' ? '' : zone})`;
}
