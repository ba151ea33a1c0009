import { addDays, type IsoDate, newYorkDate } from '../../trading/new-york-time.ts';
import type { Session, Sessions } from '../../trading/trading-calendar.ts';

/** When a market trades. An instant is milliseconds since the epoch, and now unless one is given. */
export type MarketTimes = ReturnType<typeof createMarketTimes>;

export function createMarketTimes(sessions: Sessions, now: () => number) {
  const currentOrNextSession = (at = now()): Session => {
    const session = sessions.from(newYorkDate(at));
    return at < session.close ? session : sessions.from(addDays(session.date, 1));
  };
  return {
    hours: sessions.hours,
    /** The market's own time: orders placed in it are timed by it. */
    now,
    /** The session now under way, or else the next one. */
    currentOrNextSession,
    /** When the session before the one of `at` closed; between two sessions the one just over counts as the present. */
    previousClosing(at: number = now()): number {
      const present = lastOpened(at, sessions);
      return sessions.upTo(addDays(present.date, -1)).close;
    },
    isOpen(at: number = now()): boolean {
      const session = sessions.on(newYorkDate(at));
      return session !== undefined && at >= session.open && at < session.close;
    },
    /** Whether pre-market, core or after-hours trading goes on. */
    isExtendedOpen(at: number = now()): boolean {
      const session = sessions.on(newYorkDate(at));
      return session !== undefined && at >= session.extendedOpen && at < session.extendedClose;
    },
    /** The next opening and closing after an instant. In a market that is always open both are the end of the day. */
    nextOpen(at: number = now()): number {
      const session = currentOrNextSession(at);
      return session.open > at ? session.open : sessions.from(addDays(session.date, 1)).open;
    },
    nextClose: (at: number = now()): number => currentOrNextSession(at).close,
    /** Sessions from one date to another, both included. */
    sessions(start: IsoDate, end: IsoDate): Session[] {
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
