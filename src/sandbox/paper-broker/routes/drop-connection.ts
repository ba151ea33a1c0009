import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';

export function dropConnection(context: Context): Response {
  const bindings = context.env as Partial<HttpBindings> | undefined;
  bindings?.incoming?.socket.destroy();
  return RESPONSE_ALREADY_SENT;
}
