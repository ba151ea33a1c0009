import { addDays, type IsoDate, newYorkDate } from '../../trading/new-york-time.ts';
import type { MarketHours, Session, Sessions } from '../../trading/trading-calendar.ts';

/** When a market trades. An instant is milliseconds since the epoch, and now unless one is given. */
export interface MarketTimes {
  readonly hours: MarketHours;
  /** The market's own time: orders placed in it are timed by it. */
  now(): number;
  /** When the session before the one of `at` closed; between two sessions the one just over counts as the present. */
  previousClosing(at?: number): number;
  isOpen(at?: number): boolean;
  /** Whether pre-market, core or after-hours trading goes on. */
  isExtendedOpen(at?: number): boolean;
  /** The session now under way, or else the next one. */
  currentOrNextSession(at?: number): Session;
  /** The next opening and closing after an instant. In a market that is always open both are the end of the day. */
  nextOpen(at?: number): number;
  nextClose(at?: number): number;
  /** Sessions from one date to another, both included. */
  sessions(start: IsoDate, end: IsoDate): Session[];
}

export function createMarketTimes(sessions: Sessions, now: () => number): MarketTimes {
  const currentOrNextSession = (at = now()): Session => {
    const session = sessions.from(newYorkDate(at));
    return at < session.close ? session : sessions.from(addDays(session.date, 1));
  };
  return {
    hours: sessions.hours,
    now,
    currentOrNextSession,
    previousClosing(at = now()) {
      const present = lastOpened(at, sessions);
      return sessions.upTo(addDays(present.date, -1)).close;
    },
    isOpen(at = now()) {
      const session = sessions.on(newYorkDate(at));
      return session !== undefined && at >= session.open && at < session.close;
    },
    isExtendedOpen(at = now()) {
      const session = sessions.on(newYorkDate(at));
      return session !== undefined && at >= session.extendedOpen && at < session.extendedClose;
    },
    nextOpen(at = now()) {
      const session = currentOrNextSession(at);
      return session.open > at ? session.open : sessions.from(addDays(session.date, 1)).open;
    },
    nextClose: (at = now()) => currentOrNextSession(at).close,
    sessions(start, end) {
      const found: Session[] = [];
      for (let date = start; date <= end; date = addDays(date, 1)) {
        const session = sessions.on(date);
        if (session !== undefined) found.push(session);
      }
      return found;
    },
  };
}

/** The instant whose prices hold at `at`: while the exchange is closed, time stands still at the last close. */
export function tradingTime(at: number, sessions: Sessions): number {
  return sessions.hours === 'always' ? at : Math.min(at, lastOpened(at, sessions).close);
}

/** The session under way, or else the one just over. */
function lastOpened(at: number, sessions: Sessions): Session {
  const today = sessions.upTo(newYorkDate(at));
  return at >= today.open ? today : sessions.upTo(addDays(today.date, -1));
}
