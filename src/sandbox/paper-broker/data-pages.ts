import type { Context } from 'hono';
import type { z } from 'zod';
import type { BrokerEnv } from './access.ts';
import { DataError } from './data-error.ts';

/** @throws {DataError} 400 for a parameter that makes no sense */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  context: Context<BrokerEnv>,
): z.output<Schema> {
  const read = schema.safeParse(context.req.query());
  if (read.success) return read.data;
  throw new DataError(400, `invalid ${String(read.error.issues[0]?.path[0])}`);
}

/** @param token where the page begins, as the page before told */
export function pageOf<Row>(rows: readonly Row[], limit: number, token: string | undefined) {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isSafeInteger(from) || from < 0) throw new DataError(400, 'invalid page_token');
  const next = from + limit < rows.length ? Buffer.from(String(from + limit)).toString('base64url') : null;
  return { rows: rows.slice(from, from + limit), next };
}
