import type { Hono } from 'hono';
import { z } from 'zod';
import type { Door } from '../door/door.ts';
import type { OwnRecord } from '../own-record.ts';
import { limitParameter, parseQuery } from './query.ts';

const linesQuery = z.strictObject({ limit: limitParameter(500, 100) });

/** The record: one's own lines, and whether the whole is as it was written. `orders:read`. */
export function recordRoutes(app: Hono, door: Door, record: OwnRecord): void {
  app.get(
    '/v1/record',
    door.guard(['orders:read'], async (c, { sub }) =>
      c.json({ lines: await record.lines(sub, parseQuery(linesQuery, c.req.url).limit) }),
    ),
  );
  app.get(
    '/v1/record/verdict',
    door.guard(['orders:read'], async (c) => c.json(await record.verify())),
  );
}
