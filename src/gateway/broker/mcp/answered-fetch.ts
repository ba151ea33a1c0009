import { createBoundedFetch } from '../../../net/bounded-fetch.ts';
import { FailedResponseError, NoResponseError, toNoResponseReason } from '../rest-client.ts';

/** Maximum size of one response or event stream, in bytes. */
const MAX_ANSWER_LENGTH = 4 * 1024 * 1024;

/** MCP methods for which this module throws {@link FailedResponseError}. The SDK handles failures of other methods. */
const INTERPRETED_METHODS = ['tools/call', 'tools/list'];

interface AnsweredFetchOptions {
  readonly fetch: typeof fetch;
  readonly token: string;
  readonly timeoutMs: number;
}

export interface McpSessionOptions extends Omit<AnsweredFetchOptions, 'token'> {
  readonly url: string;
  readonly now: () => number;
}

/** Timeouts for the SDK that are longer than ours, so that our timeout ends a request first. */
export const toSdkTimeouts = ({ timeoutMs }: McpSessionOptions) => ({
  timeout: 2 * timeoutMs,
  maxTotalTimeout: 2 * timeoutMs,
});

/**
 * Creates the `fetch` of the SDK's transport. It sends each message as one POST, and reads the whole response, up to a
 * maximum size. The SDK therefore has no stream to resume, and the server can't send requests during a call.
 */
export function createMcpFetch({ fetch, token, timeoutMs }: AnsweredFetchOptions): typeof fetch {
  const send = createBoundedFetch(fetch, MAX_ANSWER_LENGTH);
  return async (input, init = {}) => {
    if (init.method !== 'POST') return new Response(null, { status: 405 });
    const message = messageIn(init.body);
    const limits = [AbortSignal.timeout(timeoutMs), ...(init.signal == null ? [] : [init.signal])];
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    try {
      const sent = { ...init, headers, redirect: 'error', signal: AbortSignal.any(limits) } as const;
      return await responseTo(message, await send(input, sent));
    } catch (error) {
      throw error instanceof FailedResponseError || error instanceof NoResponseError
        ? error
        : new NoResponseError(toNoResponseReason(error));
    }
  };
}

function messageIn(body: unknown) {
  const { id, method } = JSON.parse(String(body)) as { id?: unknown; method?: unknown };
  return { id, method: String(method) };
}

async function responseTo({ id, method }: ReturnType<typeof messageIn>, response: Response): Promise<Response> {
  const { status, headers } = response;
  if (!response.ok) {
    const text = await response.text();
    if (INTERPRETED_METHODS.includes(method) || status === 401 || status === 429 || status >= 500)
      throw new FailedResponseError(status, headers, text);
    return new Response(text, { status, headers });
  }
  if (id !== undefined) return Response.json(await answerIn(response, id), { headers: sessionHeader(response) });
  await response.body?.cancel();
  return new Response(null, { status, headers: sessionHeader(response) });
}

/** Returns the session header, which servers send only in protocol versions before 2026. */
function sessionHeader({ headers }: Response): Record<string, string> {
  const session = headers.get('mcp-session-id');
  return session === null ? {} : { 'mcp-session-id': session };
}

async function answerIn(response: Response, id: unknown): Promise<unknown> {
  const isStream = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '');
  const texts = isStream && response.body !== null ? readEvents(response.body) : [await response.text()];
  for await (const text of texts) {
    const message = parsed(text);
    if (isAnswerTo(message, id)) return message;
  }
  throw new NoResponseError('unreadable');
}

/** Yields the data of each event in the stream (HTML, "Server-sent events"). */
async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Collects the parts of an event until an empty line, so that the parts of a long event are joined only once.
  let parts: string[] = [];
  let tail = '';
  for await (const bytes of body) {
    const chunk = decoder.decode(bytes, { stream: true });
    parts.push(chunk);
    const isEnded = /\n\r?\n/.test(tail + chunk);
    tail = chunk.length < 2 ? (tail + chunk).slice(-2) : chunk.slice(-2);
    if (!isEnded) continue;
    const events = parts.join('').split(/\r?\n\r?\n/);
    parts = [events.pop() ?? ''];
    for (const event of events) {
      const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
      yield lines.map((line) => line.slice(5)).join('\n');
    }
  }
}

function isAnswerTo(message: unknown, id: unknown): boolean {
  return typeof message === 'object' && message !== null && 'id' in message && message.id === id
    ? 'result' in message || 'error' in message
    : false;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
