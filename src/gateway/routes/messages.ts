import type { Hono } from 'hono';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { MessageSender } from '../messages/message-service.ts';
import { createGuardedRoutes, readJsonBody } from './request.ts';

export function addMessageRoutes(app: Hono, authenticator: Authenticator, messages: MessageSender): void {
  const at = createGuardedRoutes(app, authenticator);
  at.post('/v1/messages', ['messages:write'], async (c, caller) => {
    const { message, replay } = await messages.send(caller, await readJsonBody(c));
    if (replay) c.header('idempotent-replay', 'true');
    return c.json(message, replay ? 200 : 201);
  });
  at.get('/v1/messages/:id', ['orders:read'], async (c, caller) => {
    const id = c.req.param('id') ?? '';
    if (!/^[A-Za-z0-9_-]{8,48}$/.test(id)) {
      throw new HttpProblem(404, 'not_found', 'this gateway has no such message');
    }
    return c.json(await messages.outcome(caller, id));
  });
}
