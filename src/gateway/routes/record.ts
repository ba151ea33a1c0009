import type { Hono } from 'hono';
import { z } from 'zod';
import { RECEIPT_KEYS_PATH } from '../../trading/receipt.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { AuditLogReader } from '../record/audit-log-reader.ts';
import type { Receipts } from '../record/receipts.ts';
import { createGuardedRoutes, limitParameterSchema, parseQuery, requireNoQuery } from './request.ts';

const listQuery = z.strictObject({ limit: limitParameterSchema(500, 100) });

export function addRecordRoutes(app: Hono, authenticator: Authenticator, record: AuditLogReader): void {
  const at = createGuardedRoutes(app, authenticator);
  at.get(
    '/v1/record',
    ['orders:read'],
    async (c, { sub }) => c.json({ lines: await record.lines(sub, parseQuery(listQuery, c.req.url).limit) }),
    'receipts',
  );
  at.get('/v1/record/verdict', ['orders:read'], async (c) => c.json(await record.verify()), 'receipts');
}

export function addReceiptRoutes(app: Hono, authenticator: Authenticator, receipts: Receipts): void {
  const at = createGuardedRoutes(app, authenticator);
  at.get('/v1/receipts', ['orders:read'], async (c, { sub }) =>
    c.json({ receipts: await receipts.list(sub, parseQuery(listQuery, c.req.url).limit) }),
  );
  at.get(
    '/v1/receipts/:id',
    ['orders:read'],
    async (c, { sub }) => {
      requireNoQuery(c.req.url);
      // Returns the exact bytes that were signed, not reformatted JSON.
      return c.body(await receipts.find(sub, c.req.param('id') ?? ''), 200, {
        'content-type': 'application/json',
      });
    },
    'receipts',
  );
  app.get(
    RECEIPT_KEYS_PATH,
    authenticator.open(async (c) => c.json(await receipts.keys())),
  );
}
