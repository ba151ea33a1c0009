import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const modelServerModes = {
  good: 'answers with a text, tokens and a cost',
  garbage: 'answers with something that is no JSON',
  dropped: 'drops the connection in the middle of an answer',
  cut: 'ends the stream without finishing the answer',
  refuses: 'answers 401, quoting the key',
  unknown: 'answers 404',
  limited: 'answers 429, to come back in ten minutes',
  hiccup: 'answers 429 once, to come back at once, and then well',
  long: 'says that the conversation is too long',
  silent: 'accepts the request and never answers',
  orders: 'calls place_order for 5 AAPL, and then says so',
  quotes: 'calls get_quote for AAPL',
} as const;
export type ModelServerMode = keyof typeof modelServerModes | 'down';

export interface RunningModelServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A server that speaks OpenAI's chat API badly, on a free port of this machine. `down`: one that has gone. */
export async function badModelServer(mode: ModelServerMode): Promise<RunningModelServer> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume();
    request.once('end', () => answer(mode, requests, request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  if (mode === 'down') await close();
  return { url, close: mode === 'down' ? async () => undefined : close };
}

function answer(mode: ModelServerMode, count: number, request: IncomingMessage, response: ServerResponse): void {
  const fail = (status: number, error: object, headers: Record<string, string> = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error }));
  };
  switch (mode) {
    case 'garbage':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: {"choices": [{"delta": {"content"\n\n');
      return;
    case 'dropped':
      send(response, [delta({ content: 'I will' })]);
      setImmediate(() => response.destroy());
      return;
    case 'cut':
      send(response, [delta({ content: 'I will' })]);
      response.end();
      return;
    case 'refuses': {
      fail(401, { message: `Incorrect API key provided: ${request.headers.authorization}` });
      return;
    }
    case 'unknown': {
      fail(404, { message: 'no such model' });
      return;
    }
    case 'limited': {
      fail(429, { message: 'slow down' }, { 'retry-after': '600' });
      return;
    }
    case 'long': {
      fail(400, { code: 'context_length_exceeded', message: 'too long' });
      return;
    }
    case 'silent':
      return;
    case 'hiccup':
      if (count === 1) {
        fail(429, { message: 'slow down' }, { 'retry-after': '0' });
        return;
      }
      break;
    case 'quotes':
    case 'orders':
      if (count === 1) {
        const order = mode === 'quotes' ? { symbols: ['AAPL'] } : { symbol: 'AAPL', side: 'buy', qty: '5' };
        const call = { index: 0, id: 'call_0', type: 'function' };
        send(response, [
          delta({
            tool_calls: [
              {
                ...call,
                function: { name: mode === 'quotes' ? 'get_quote' : 'place_order', arguments: JSON.stringify(order) },
              },
            ],
          }),
          delta({}, 'tool_calls'),
        ]);
        response.end('data: [DONE]\n\n');
        return;
      }
      break;
  }
  const usage = { prompt_tokens: 1200, completion_tokens: 34, total_tokens: 1234, cost: 0.00125 };
  send(response, [
    delta({ content: 'All ' }),
    delta({ content: 'is well.' }),
    delta({}, 'stop'),
    { choices: [], usage },
  ]);
  response.end('data: [DONE]\n\n');
}

function delta(content: object, finish_reason: string | null = null) {
  return { choices: [{ index: 0, delta: { role: 'assistant', ...content }, finish_reason }] };
}

function send(response: ServerResponse, chunks: readonly object[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of chunks) {
    response.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', ...chunk })}\n\n`);
  }
}
