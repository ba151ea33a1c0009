import { randomUUID } from 'node:crypto';
import {
  createMcpHandler,
  type InitializeRequest,
  type JSONRPCMessage,
  type JSONRPCResponse,
  type McpServerFactory,
  type Transport,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { defined } from '../../values/defined.ts';
import { createSeals } from '../server/seals.ts';
import { createListenStreams, type FollowResources, parseListenRequest } from './listen-streams.ts';

export type McpEndpoint<Caller> = (request: Request, caller: Caller) => Promise<Response>;

interface Identified {
  readonly sub: string;
  readonly clientId: string;
}

const SESSION_HEADER = 'mcp-session-id';

/**
 * Returns a handler that serves MCP over HTTP for revisions 2026-07-28, 2025-11-25 and 2025-06-18. It is stateless,
 * except for pending elicitations of 2025 clients and open subscriptions. It does not check the token, Host, Origin or length, because the
 * gateway that mounts it has already checked them.
 * @param factory creates the server for each request
 * @param follow follows the resources that clients subscribe to
 */
export function createMcpEndpoint<Caller extends Identified>(
  factory: (caller: Caller, context: Parameters<McpServerFactory>[0]) => ReturnType<McpServerFactory>,
  follow: FollowResources<Caller>,
): McpEndpoint<Caller> {
  const questions = createClientQuestions();
  const handshakes = createHandshakes();
  const serve: McpServerFactory = async (context) => {
    const caller = context.authInfo?.extra?.caller as Caller;
    const name = callerKey(caller);
    const server = await factory(caller, context);
    const sessionId = context.era === 'legacy' ? context.requestInfo?.headers.get(SESSION_HEADER) : undefined;
    const handshake = sessionId ? await handshakes.read(sessionId, name) : undefined;
    if (handshake !== undefined) {
      const connect = server.connect.bind(server);
      server.connect = (transport) => connect(elicitingTransport(transport, { caller: name, handshake, questions }));
    }
    return server;
  };
  const handler = createMcpHandler(serve);
  const listen = createListenStreams(serve, follow);
  return async (request, caller) => {
    const name = callerKey(caller);
    const body: unknown = await request
      .clone()
      .json()
      .catch(() => undefined);
    if (request.method === 'POST' && isAnswer(body)) {
      questions.answer(name, body);
      return new Response(null, { status: 202 });
    }
    // The MCP server does not get the token.
    const authInfo = { token: '', clientId: '', scopes: [], extra: { caller } };
    const listening = parseListenRequest(body);
    if (listening !== undefined) return listen({ request, body: listening, caller, callerKey: name, authInfo });
    const response = await handler.fetch(request, { authInfo, ...defined({ parsedBody: body }) });
    const { method, params } = (body ?? {}) as { readonly method?: unknown; readonly params?: unknown };
    const session = method === 'initialize' && response.ok ? await handshakes.seal(params, name) : undefined;
    if (session !== undefined) response.headers.set(SESSION_HEADER, session);
    return response;
  };
}

const callerKey = ({ sub, clientId }: Identified) => JSON.stringify([sub, clientId]);

/**
 * Wraps the transport of one exchange with a 2025 client that supports elicitation or sampling. Replays the client's
 * handshake to the server, and gives the server's requests new IDs that identify the client's responses.
 */
function elicitingTransport(
  inner: Transport,
  {
    caller,
    handshake,
    questions,
  }: { readonly caller: string; readonly handshake: Handshake; readonly questions: ClientQuestions },
): Transport {
  const greeted = Promise.withResolvers<void>();
  let isGreeted = false;
  /** Maps the IDs of the server's requests to the IDs that were sent to the client. */
  const asked = new Map<unknown, string>();
  const outer: Transport = {
    async start() {
      inner.onmessage = (message, extra) => void greeted.promise.then(() => outer.onmessage?.(message, extra));
      inner.onerror = (error) => outer.onerror?.(error);
      inner.onclose = () => {
        for (const id of asked.values()) questions.close(id);
        outer.onclose?.();
      };
      await inner.start();
      outer.onmessage?.({ jsonrpc: '2.0', id: 0, method: 'initialize', params: handshake });
    },
    async send(message, options) {
      // The server's response to the replayed handshake comes first and is dropped.
      if (!isGreeted && !('method' in message)) {
        isGreeted = true;
        return greeted.resolve();
      }
      await inner.send(outward(message), options);
    },
    close: () => inner.close(),
  };
  const outward = (message: JSONRPCMessage): JSONRPCMessage => {
    if (!('method' in message)) return message;
    if ('id' in message) {
      const { id } = message;
      const shown = questions.open(caller, (answer) => outer.onmessage?.({ ...answer, id }));
      asked.set(id, shown);
      return { ...message, id: shown };
    }
    const known = asked.get(message.params?.requestId);
    if (message.method !== 'notifications/cancelled' || known === undefined) return message;
    questions.close(known);
    return { ...message, params: { ...message.params, requestId: known } };
  };
  return outer;
}

/** The parameters that a 2025 client sent once, when it connected. */
type Handshake = InitializeRequest['params'];

/** Lifetime of a session, in seconds. After that, the server sends no requests to the client. */
const SESSION_TTL_S = 24 * 3600;
/** Maximum length of a session ID in characters. The client sends the ID in a header, and headers must be short. */
const MAX_SESSION_ID_LENGTH = 2_000;

const handshakeSchema = z.object({
  protocolVersion: z.string(),
  capabilities: z.looseObject({ elicitation: z.unknown(), sampling: z.unknown() }).partial(),
  clientInfo: z.object({ name: z.string(), version: z.string() }),
});

/**
 * Returns functions that seal a client's handshake as its `Mcp-Session-Id`, and recover the handshake from that ID.
 * Nothing is stored. After a restart, the client is served without a session.
 */
function createHandshakes() {
  const seals = createSeals<Handshake>(SESSION_TTL_S);
  return {
    /** Returns the session ID. Undefined for a client with neither elicitation nor sampling, which gets no session. */
    async seal(params: unknown, caller: string): Promise<string | undefined> {
      const handshake = handshakeSchema.safeParse(params).data;
      if (handshake === undefined) return undefined;
      const { elicitation, sampling } = handshake.capabilities;
      if (elicitation === undefined && sampling === undefined) return undefined;
      const sealed = await seals.seal({ ...handshake, capabilities: { elicitation, sampling } } as Handshake, caller);
      return sealed.length <= MAX_SESSION_ID_LENGTH ? sealed : undefined;
    },
    /**
     * Returns the handshake in the ID. Undefined, and no session, if this process did not seal the ID for this caller.
     */
    read: (sessionId: string, caller: string): Promise<Handshake | undefined> =>
      seals.open(sessionId, caller).catch(() => undefined),
  };
}

/** Maximum number of pending questions, per caller and in total. Each question keeps a request open. */
const [MAX_PER_CALLER, MAX_IN_TOTAL] = [4, 200];

/**
 * Elicitations of 2025 clients, sent in the response stream. The client's responses arrive in separate requests and are
 * matched by caller and an unguessable ID. Only the process that asked can match them.
 */
type ClientQuestions = ReturnType<typeof createClientQuestions>;

function createClientQuestions() {
  const open = new Map<string, { caller: string; answered: (answer: JSONRPCResponse) => void }>();
  return {
    /**
     * Adds a question. Returns its ID. @throws if too many questions are pending @param answered called at most once
     */
    open(caller: string, answered: (answer: JSONRPCResponse) => void): string {
      const own = [...open.values()].filter((one) => one.caller === caller);
      if (own.length >= MAX_PER_CALLER || open.size >= MAX_IN_TOTAL) throw new Error('too many pending questions');
      const id = randomUUID();
      open.set(id, { caller, answered });
      return id;
    },
    close: (id: string): void => void open.delete(id),
    /** Passes the response to its question. Ignores a response that matches none of the caller's questions. */
    answer(caller: string, answer: JSONRPCResponse): void {
      const id = String(answer.id);
      const asked = open.get(id);
      if (asked?.caller !== caller) return;
      open.delete(id);
      asked.answered(answer);
    },
  };
}

function isAnswer(message: unknown): message is JSONRPCResponse {
  if (typeof message !== 'object' || message === null || 'method' in message) return false;
  return (
    typeof (message as JSONRPCMessage & { id: unknown }).id === 'string' && ('result' in message || 'error' in message)
  );
}
