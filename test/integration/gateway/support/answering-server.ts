import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenOnLoopback } from '../../../../src/net/http-server.ts';

/** What a server was asked. */
export interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** An answer: `hang` never answers, `drop` ends the connection. */
export type Reply =
  | { readonly status?: number; readonly body: unknown; readonly headers?: Record<string, string> }
  | 'hang'
  | 'drop';

/** A server on loopback that answers as it is told. */
export async function startServer(reply: (asked: Asked) => Reply | Promise<Reply>) {
  const asked: Asked[] = [];
  const server = await listenOnLoopback(0, () => 0);
  server.serve(async (request, response) => {
    const sent = await text(request);
    const body: unknown = sent.startsWith('{') ? JSON.parse(sent) : sent;
    const one = { path: request.url ?? '', headers: request.headers, body };
    asked.push(one);
    const answer = await reply(one);
    if (answer === 'hang') return;
    if (answer === 'drop') return void request.socket.destroy();
    const headers = { 'content-type': 'application/json', ...answer.headers };
    response.writeHead(answer.status ?? 200, headers);
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  });
  return { url: server.url, asked, close: () => server.close() };
}
