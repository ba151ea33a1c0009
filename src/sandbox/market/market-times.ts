import { addDays, type IsoDate, newYorkDate } from '../../trading/new-york-time.ts';
import type { Session, Sessions } from '../../trading/trading-calendar.ts';

/** When a market trades. Instants are milliseconds since the epoch, default now. */
export type MarketTimes = ReturnType<typeof createMarketTimes>;

export function createMarketTimes(sessions: Sessions, now: () => number) {
  const currentOrNextSession = (at = now()): Session => {
    const session = sessions.from(newYorkDate(at));
    return at < session.close ? session : sessions.from(addDays(session.date, 1));
  };
  return {
    hours: sessions.hours,
    now,
    currentOrNextSession,
    previousClosing(at: number = now()): number {
      const present = lastOpened(at, sessions);
      return sessions.upTo(addDays(present.date, -1)).close;
    },
    isOpen(at: number = now()): boolean {
      const session = sessions.on(newYorkDate(at));
      return session !== undefined && at >= session.open && at < session.close;
    },
    isExtendedOpen(at: number = now()): boolean {
      const session = sessions.on(newYorkDate(at));
      return session !== undefined && at >= session.extendedOpen && at < session.extendedClose;
    },
    /** In a market that is always open, both are the end of the day. */
    nextOpen(at: number = now()): number {
      const session = currentOrNextSession(at);
      return session.open > at ? session.open : sessions.from(addDays(session.date, 1)).open;
    },
    nextClose: (at: number = now()): number => currentOrNextSession(at).close,
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

/** While the exchange is closed, the last close's instant. */
export function tradingTime(at: number, sessions: Sessions): number {
  return sessions.hours === 'always' ? at : Math.min(at, lastOpened(at, sessions).close);
}

function lastOpened(at: number, sessions: Sessions): Session {
  const today = sessions.upTo(newYorkDate(at));
  return at >= today.open ? today : sessions.upTo(addDays(today.date, -1));
}
