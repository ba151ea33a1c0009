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

/**
 * One exchange with a client of the 2025 revisions, over which it can be asked something: the server is told the client's
 * handshake first, and what it asks goes out under ids that answers are known by.
 */
function askingTransport(
  inner: Transport,
  {
    caller,
    handshake,
    questions,
  }: { readonly caller: string; readonly handshake: Handshake; readonly questions: ClientQuestions },
): Transport {
  const greeted = Promise.withResolvers<void>();
  let isGreeted = false;
  /** By the server's own id. */
  const asked = new Map<unknown, string>();
  const outer: Transport = {
    async start() {
      inner.onmessage = (message, extra) =>
        void greeted.promise.then(() => outer.onmessage?.(message, extra));
      inner.onerror = (error) => outer.onerror?.(error);
      inner.onclose = () => {
        for (const id of asked.values()) questions.close(id);
        outer.onclose?.();
      };
      await inner.start();
      outer.onmessage?.({ jsonrpc: '2.0', id: 0, method: 'initialize', params: handshake });
    },
    async send(message, options) {
      // The client's own message waits for the answer to its handshake, which it has had long ago: that is the first one.
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

/** What a client of the 2025 revisions said of itself when it connected, which it says once. */
type Handshake = InitializeRequest['params'];

/** Seconds; a client that stays longer is asked nothing more. */
const LIFE_S = 24 * 3600;
/** A header that goes with each request. */
const LONGEST = 2_000;

const handshakeSchema = z.object({
  protocolVersion: z.string(),
  capabilities: z.looseObject({ elicitation: z.unknown(), sampling: z.unknown() }).partial(),
  clientInfo: z.object({ name: z.string(), version: z.string() }),
});

/**
 * A handshake as the `Mcp-Session-Id` that the client sends along from then on: sealed and bound to who calls, so that
 * nothing is kept here, and a restart ends no session.
 */
function createHandshakes() {
  const seals = createSeals<Handshake>(LIFE_S);
  return {
    /** Undefined for a client that can be asked nothing: it gets no session. */
    async seal(params: unknown, caller: string): Promise<string | undefined> {
      const told = handshakeSchema.safeParse(params).data;
      if (told === undefined) return undefined;
      const { elicitation, sampling } = told.capabilities;
      if (elicitation === undefined && sampling === undefined) return undefined;
      const sealed = await seals.seal(
        { ...told, capabilities: { elicitation, sampling } } as Handshake,
        caller,
      );
      return sealed.length <= LONGEST ? sealed : undefined;
    },
    /** Undefined for what was not sealed here for this caller: it is served like one that has no session. */
    read: (sessionId: string, caller: string): Promise<Handshake | undefined> =>
      seals.open(sessionId, caller).catch(() => undefined),
  };
}

/** At once, of one caller and of all: each holds a request open until it is answered. */
const [MOST_OF_ONE, MOST_OF_ALL] = [4, 200];

/**
 * What clients of the 2025 revisions are asked in the middle of a call, by the stream of its answer. They answer by a
 * request of its own: the two are brought together by who calls and by an id that nobody can guess, in this process alone.
 */
type ClientQuestions = ReturnType<typeof createClientQuestions>;

function createClientQuestions() {
  const open = new Map<string, { caller: string; answered: (answer: JSONRPCResponse) => void }>();
  return {
    /**
     * @param caller as it was verified
     * @param answered told at most once
     * @returns the id to ask under
     * @throws where too much is open
     */
    open(caller: string, answered: (answer: JSONRPCResponse) => void): string {
      const own = [...open.values()].filter((one) => one.caller === caller);
      if (own.length >= MOST_OF_ONE || open.size >= MOST_OF_ALL) throw new Error('too much is being asked');
      const id = randomUUID();
      open.set(id, { caller, answered });
      return id;
    },
    close: (id: string): void => void open.delete(id),
    /** Nothing happens to an answer that belongs to no question of this caller's. */
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
    typeof (message as JSONRPCMessage & { id: unknown }).id === 'string' &&
    ('result' in message || 'error' in message)
  );
}
