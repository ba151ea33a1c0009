import { join } from 'node:path';
import { TradeAgentError } from '../errors/errors.ts';
import type { Clock } from '../machine/clock.ts';
import type { IsoDate } from '../trading/new-york-time.ts';
import type { MarketHours } from '../trading/trading-calendar.ts';
import { createMarket, type Market } from './market/market.ts';
import { readMarketFolder } from './market/replay/read-folder.ts';
import { type ReplayClock, replayClock } from './market/replay/replay-clock.ts';
import { datesOf, replayTape } from './market/replay/replay-tape.ts';
import { bookedAt } from './paper-broker/books/entries.ts';

export interface MarketData {
  readonly folder: string;
  /** The day the market's time begins; default: where it last stopped, else the first day. */
  readonly start?: IsoDate;
}

interface SandboxMarketOptions {
  readonly seed: string;
  readonly clock: Clock;
  readonly hours: MarketHours;
  readonly data?: MarketData | undefined;
  readonly folder: string;
}

/**
 * A random walk on the clock's time, or recorded days on a clock of their own. @throws {TradeAgentError}
 * `invalid_config` for unusable data, `usage` for a start outside it
 */
export function openSandboxMarket(options: SandboxMarketOptions): { market: Market; replay?: ReplayClock } {
  const { seed, clock, hours, data, folder } = options;
  if (data === undefined) return { market: createMarket({ seed, clock, hours }) };
  const { days, actions } = readMarketFolder(data.folder);
  const tape = replayTape(days);
  const dates = datesOf(days);
  const first = data.start === undefined ? dates[0] : dates.find((date) => date >= (data.start ?? ''));
  const last = dates.at(-1) ?? '';
  if (first === undefined || (data.start ?? first) < (dates[0] ?? '')) {
    throw new TradeAgentError(
      'usage',
      `the market’s days are from ${dates[0]} to ${last}: it can’t begin on ${data.start}`,
    );
  }
  const replay = replayClock({
    clock,
    file: join(folder, 'market-clock.json'),
    start: tape.sessions.from(first).open,
    // The last day's bookings are made in its evening.
    end: bookedAt(last),
    restarts: data.start !== undefined,
  });
  const market = createMarket({ seed, clock: replay, hours: 'exchange', tape });
  for (const action of actions) {
    try {
      market.announce(action);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new TradeAgentError(
        'invalid_config',
        `${join(data.folder, 'corporate-actions.json')}: ${action.kind}: ${error.message}`,
      );
    }
  }
  return { market, replay };
}
