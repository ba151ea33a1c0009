import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How the server answers one request: a status, a redirect, or never. */
export type Answer = number | { readonly status: number; readonly headers: Record<string, string> } | 'hang';

/** A real HTTP server on loopback that keeps what it gets. */
export interface HttpRecorder {
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** The next answers, in turn; then 200. */
  answer(...answers: Answer[]): void;
  close(): Promise<void>;
}

export async function openHttpRecorder(): Promise<HttpRecorder> {
  const requests: RecordedRequest[] = [];
  let answers: Answer[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
    const answer = answers.shift() ?? 200;
    if (answer === 'hang') return;
    const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer;
    // An echo: a program that quotes answers would quote what it sent.
    response.writeHead(status, headers).end(`${request.headers.authorization ?? ''} ${request.url} ${body}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: (...next) => {
      answers = next;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
