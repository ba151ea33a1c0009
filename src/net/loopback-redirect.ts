import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TradeAgentError } from '../errors/errors.ts';

export interface LoopbackRedirectOptions<Answer> {
  /** 0 for any free port. */
  readonly port: number;
  readonly path: string;
  /** Parses the query of a request to the path. Returns undefined if the request is not the expected redirect. */
  read(query: URLSearchParams): Answer | undefined;
  thanks(answer: Answer): string;
  readonly portHint: string;
}

/** Listens on 127.0.0.1 for a single browser redirect (RFC 8252 §7.3). @throws {TradeAgentError} `port_in_use` */
export async function listenForRedirect<Answer>(options: LoopbackRedirectOptions<Answer>) {
  const { port, path } = options;
  let tell: (answer: Answer) => void = () => undefined;
  const answered = new Promise<Answer>((resolve) => {
    tell = resolve;
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const answer = request.method === 'GET' && url.pathname === path ? options.read(url.searchParams) : undefined;
    response
      .writeHead(answer === undefined ? 404 : 200, {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'content-security-policy': "default-src 'none'",
        connection: 'close',
      })
      .end(`${answer === undefined ? 'Not found.' : options.thanks(answer)}\n`);
    if (answer !== undefined) tell(answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new TradeAgentError('port_in_use', `port ${port} on 127.0.0.1 is in use or not allowed`, {
          hint: options.portHint,
          cause,
        }),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  const listening = (server.address() as AddressInfo).port;
  return {
    redirectUri: `http://127.0.0.1:${listening}${path}`,
    answer: (signal: AbortSignal) =>
      new Promise<Answer>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const onAbort = () => reject(signal.reason);
        signal.addEventListener('abort', onAbort, { once: true });
        void answered.then((answer) => {
          signal.removeEventListener('abort', onAbort);
          resolve(answer);
        });
      }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
