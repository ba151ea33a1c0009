import { createMcpHandler, type McpServerFactory } from '@modelcontextprotocol/server';
import { defined } from '../../values/defined.ts';
import { askingTransport } from './asking-transport.ts';
import { createHandshakes } from './client-handshake.ts';
import { createClientQuestions, isAnswer } from './client-questions.ts';

/** Serves one request whose caller is known. */
export type McpEndpoint<Caller> = (request: Request, caller: Caller) => Promise<Response>;

/** Whom an answer must come from. */
interface Identified {
  readonly sub: string;
  readonly clientId: string;
}

const SESSION = 'mcp-session-id';

/**
 * The protocol over HTTP, for clients of every revision that is served: 2026-07-28, 2025-11-25, 2025-06-18. Stateless, but
 * for what an older client is being asked at this moment. It looks at no token, Host, Origin or length: what stands in
 * front has done so.
 * @param factory makes what serves a caller, anew for each request
 */
export function mcpEndpoint<Caller extends Identified>(
  factory: (caller: Caller, context: Parameters<McpServerFactory>[0]) => ReturnType<McpServerFactory>,
): McpEndpoint<Caller> {
  const questions = createClientQuestions();
  const handshakes = createHandshakes();
  const handler = createMcpHandler(async (context) => {
    const caller = context.authInfo?.extra?.caller as Caller;
    const name = nameOf(caller);
    const server = await factory(caller, context);
    const sessionId = context.era === 'legacy' ? context.requestInfo?.headers.get(SESSION) : undefined;
    const handshake = sessionId ? await handshakes.read(sessionId, name) : undefined;
    if (handshake !== undefined) {
      const connect = server.connect.bind(server);
      server.connect = (transport) =>
        connect(askingTransport(transport, { caller: name, handshake, questions }));
    }
    return server;
  });
  return async (request, caller) => {
    const name = nameOf(caller);
    const body: unknown = await request
      .clone()
      .json()
      .catch(() => undefined);
    if (request.method === 'POST' && isAnswer(body)) {
      questions.answer(name, body);
      return new Response(null, { status: 202 });
    }
    const response = await handler.fetch(request, {
      // Not the token: it stays at the door.
      authInfo: { token: '', clientId: '', scopes: [], extra: { caller } },
      ...defined({ parsedBody: body }),
    });
    const { method, params } = (body ?? {}) as { readonly method?: unknown; readonly params?: unknown };
    const session = method === 'initialize' && response.ok ? await handshakes.seal(params, name) : undefined;
    if (session !== undefined) response.headers.set(SESSION, session);
    return response;
  };
}

const nameOf = ({ sub, clientId }: Identified) => JSON.stringify([sub, clientId]);
