import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import type { Agent } from '../../agent/agent.ts';
import { idempotencyKeySchema } from '../../agent/remote/protocol.ts';
import type { Session } from '../../auth/session/session.ts';
import type { Authenticator } from '../../gateway/auth/authenticator.ts';
import type { Caller } from '../../gateway/auth/caller.ts';
import { readJsonBody } from '../../gateway/routes/request.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { AgentHttpProblem, HttpProblem } from '../../trading/http-problem.ts';
import { createPersonAgent, limitSessionToScopes } from '../person-agent.ts';
import type { ServerDeps } from '../server-deps.ts';
import { withHttpProblems } from './agent-problem.ts';

/** Returns functions that add routes. The routes require a token with the read scope. */
export function createReadRoutes(app: Hono, authenticator: Authenticator) {
  const adds =
    (method: 'get' | 'post' | 'delete') =>
    (path: string, handle: Parameters<Authenticator['guard']>[1]): void =>
      void app[method](path, authenticator.guard([READ_SCOPES[0]], handle));
  return { get: adds('get'), post: adds('post'), delete: adds('delete') };
}

/** Returns the caller's session, limited to their token's scopes. */
export function getCallerSession(deps: Pick<ServerDeps, 'sessions'>, caller: Caller): Promise<Session> {
  return withHttpProblems(async () =>
    limitSessionToScopes(await deps.sessions.forCaller(caller, caller.accessToken), [...caller.scopes]),
  );
}

/** Opens the person's agent for one request and closes it afterward. Converts the agent's errors to HTTP problems. */
export async function withAgent<T>(
  deps: ServerDeps,
  caller: Caller,
  question: (agent: Agent) => Promise<T>,
): Promise<T> {
  const session = await getCallerSession(deps, caller);
  return await withHttpProblems(async () => {
    const agent = createPersonAgent(deps, session);
    try {
      return await question(agent);
    } finally {
      await agent.close();
    }
  });
}

/**
 * Parses the request body.
 * @throws {HttpProblem} 400 `usage` with the names of invalid fields; also the errors of `readJsonBody`
 */
export async function parseJsonBody<S extends z.ZodType>(
  c: Context,
  schema: S,
  largest?: number,
): Promise<z.output<S>> {
  const parsed = schema.safeParse(await readJsonBody(c, largest));
  if (parsed.success) return parsed.data;
  const fields = [...new Set(parsed.error.issues.map(({ path }) => path.join('.')))];
  throw new AgentHttpProblem(
    400,
    'usage',
    `the request is malformed: ${fields.filter(Boolean).join(', ') || 'its body'}`,
    { fields, hint: parsed.error.issues[0]?.message ?? 'See /openapi.json.' },
  );
}

/** Returns the request's idempotency key. @throws {HttpProblem} 400 `idempotency_key_missing` */
export function requireIdempotencyKey(c: Context): string {
  const parsed = idempotencyKeySchema.safeParse(c.req.header('idempotency-key'));
  if (parsed.success) return parsed.data;
  throw new HttpProblem(400, 'idempotency_key_missing', 'the Idempotency-Key header is required', {
    hint: 'Use 1 to 64 characters of A-Z a-z 0-9 . _ -. Use a new key for each request, and the same key when you retry it.',
  });
}
