import type { Hono } from 'hono';
import { z } from 'zod';
import type { BrokerCredentials } from '../broker/broker-credentials.ts';
import type { Door } from '../door/door.ts';
import { parseQuery } from './query.ts';

const connectionsQuery = z.strictObject({ name: z.string().max(32).optional() });

/**
 * Which accounts elsewhere the gateway can reach for the caller: `portfolio:read`. It looks or asks
 * each time, so that a program may wait for one to be connected.
 */
export function connectionRoutes(
  app: Hono,
  door: Door,
  accounts: ReadonlyMap<string, Pick<BrokerCredentials, 'isConnected'>>,
): void {
  app.get(
    '/v1/connections',
    door.guard(['portfolio:read'], async (c, caller) => {
      const { name: wanted } = parseQuery(connectionsQuery, c.req.url);
      const chosen = [...accounts].filter(([name]) => wanted === undefined || wanted === name);
      const connections = await Promise.all(
        chosen.map(async ([name, at]) => ({ name, connected: await at.isConnected(caller) })),
      );
      return c.json({ connections });
    }),
  );
}
