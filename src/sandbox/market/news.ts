import { Dec } from '../../trading/decimal.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../trading/new-york-time.ts';
import type { Market } from './market.ts';
import { hashText, uniform } from './price-path.ts';

const DAYS_BACK = 30;
/** An article about a company appears one day in three. */
const DAYS_BETWEEN = 3;
/** Without symbols, the largest companies are covered. */
const LARGEST = 25;
const MORNING = '08:00';
const WRITING_MS = 10 * 3_600_000;

/**
 * Invented news, newest first, from the seed and prices alone, so that it never changes. Each says that it is
 * simulated. @param symbols undefined: the largest companies
 */
export function marketNews(market: Market, symbols: readonly string[] | undefined, now: number) {
  const listed = market.symbols().map(({ symbol }) => symbol);
  const about = symbols ?? listed.slice(0, LARGEST);
  const today = newYorkDate(now);
  return about
    .flatMap((symbol) =>
      Array.from({ length: DAYS_BACK }, (_, ago) => note(market, symbol, addDays(today, -ago))),
    )
    .filter((one) => one !== undefined)
    .filter(({ at }) => at <= now)
    .sort((a, b) => b.at - a.at || a.id - b.id);
}

function note(market: Market, symbol: string, date: string) {
  const listed = market.symbol(symbol);
  if (listed === undefined) return undefined;
  const id = hashText(`news\n${market.seed}\n${symbol}\n${date}`);
  if (uniform(id, 1, 0) * DAYS_BETWEEN >= 1) return undefined;
  const at = newYorkInstant(date, MORNING) + Math.floor(uniform(id, 2, 0) * WRITING_MS);
  const { name, sector } = listed;
  const subjects = [
    () => moved(market, symbol, name, at),
    () => `${name} speaks at a simulated conference on ${sector.toLowerCase()}`,
    () => `What a simulated analyst asks about ${name} (${symbol})`,
  ];
  const subject = subjects[Math.floor(uniform(id, 3, 0) * subjects.length)] ?? subjects[0];
  return {
    id,
    symbol,
    at,
    headline: `Simulated: ${subject?.() ?? name}`,
    summary: `The sandbox wrote this about ${name} so that there is something to read. Nothing of it happened.`,
  };
}

function moved(market: Market, symbol: string, name: string, at: number): string {
  const last = market.quote(symbol, at)?.last ?? '0';
  const before = market.previousClose(symbol, at) ?? last;
  const change = new Dec(last).div(before).minus(1).times(100);
  const way = change.lt(0) ? 'down' : 'up';
  return `${name} (${symbol}) at $${last}, ${way} ${change.abs().toFixed(1)} % on the day`;
}
