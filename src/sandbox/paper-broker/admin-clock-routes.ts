import { Hono } from 'hono';
import { z } from 'zod';
import type { Market } from '../market/market.ts';
import { newYorkDate } from '../market/new-york-time.ts';
import type { ReplayClock } from '../market/replay/replay-clock.ts';

/**
 * Behind the admin secret: `PUT /admin/clock {"now": "2026-03-02T20:00:00Z"}` moves the market's time on, where it is one
 * of its own. Orders meet every turn of the price on the way, and what falls due is booked in its order.
 */
export function adminClockRoutes(market: Market, clock: ReplayClock, settle: () => void): Hono {
  const app = new Hono();
  app.put('/admin/clock', async (context) => {
    const read = z
      .strictObject({ now: z.iso.datetime({ offset: true }) })
      .safeParse(await context.req.json().catch(() => undefined));
    if (!read.success) return context.json({ message: 'send {"now": "2026-03-02T20:00:00Z"}' }, 400);
    const to = Date.parse(read.data.now);
    try {
      clock.check(to);
      for (const at of turns(market, clock.now(), to)) {
        clock.moveTo(at);
        settle();
      }
      clock.moveTo(to);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return context.json({ message: error.message }, 400);
    }
    settle();
    return context.json({ now: new Date(market.now()).toISOString() });
  });
  return app;
}

/** The instants between two others at which a replayed price turns: a session's open, its thirds, and its close. */
function turns(market: Market, from: number, to: number): number[] {
  return market
    .sessions(newYorkDate(from), newYorkDate(to))
    .flatMap(({ open, close }) =>
      [0, 1, 2, 3].map((third) => Math.round(open + ((close - open) / 3) * third)),
    )
    .filter((at) => at > from && at < to);
}
