import type { IncomingHttpHeaders } from 'node:http';
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
export async function startServer(reply: (asked: Asked) => Reply) {
  const asked: Asked[] = [];
  const server = await listenOnLoopback(0, () => 0);
  server.serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const one = {
        path: request.url ?? '',
        headers: request.headers,
        body: text.startsWith('{') ? JSON.parse(text) : text,
      };
      asked.push(one);
      const answer = reply(one);
      if (answer === 'hang') return;
      if (answer === 'drop') return void request.socket.destroy();
      const { status = 200, body, headers = {} } = answer;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  return { url: server.url, asked, close: () => server.close() };
}
