import type { Hono } from 'hono';
import { z } from 'zod';
import type { Broker } from '../broker/broker.ts';
import type { Caller } from '../caller.ts';
import type { Door } from '../door.ts';
import { parseQuery } from '../query.ts';

const historyQuery = z.strictObject({
  period: z
    .string()
    .regex(/^[1-9]\d{0,2}[DWMA]$/, 'must be a number and D, W, M or A, such as 1M')
    .default('1M'),
  timeframe: z.enum(['1Min', '5Min', '15Min', '1H', '1D']).optional(),
});

/** What the caller has: `portfolio:read`. */
export function portfolioRoutes(app: Hono, door: Door, brokerFor: (caller: Caller) => Promise<Broker>): void {
  app.get(
    '/v1/account',
    door.guard(['portfolio:read'], async (c, caller) => c.json(await (await brokerFor(caller)).account())),
  );
  app.get(
    '/v1/positions',
    door.guard(['portfolio:read'], async (c, caller) =>
      c.json({ positions: await (await brokerFor(caller)).positions() }),
    ),
  );
  app.get(
    '/v1/portfolio/history',
    door.guard(['portfolio:read'], async (c, caller) => {
      const { period, timeframe } = parseQuery(historyQuery, c.req.url);
      return c.json(await (await brokerFor(caller)).portfolioHistory({ period, timeframe }));
    }),
  );
}
