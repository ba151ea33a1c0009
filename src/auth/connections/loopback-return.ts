import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TradeAgentError } from '../../trading/errors.ts';

/** What the browser brought back. */
export type ReturnedAnswer =
  | { readonly connectCode: string; readonly error?: undefined }
  | { readonly error: string };

/** A server on 127.0.0.1 that the person's browser comes back to, once. */
export interface LoopbackReturn {
  readonly redirectUri: string;
  readonly state: string;
  /** PKCE, S256 (RFC 7636). */
  readonly codeChallenge: string;
  readonly codeVerifier: string;
  /** Resolves with the first answer that carries our state; others are told that nothing came of them. */
  answer(signal: AbortSignal): Promise<ReturnedAnswer>;
  close(): Promise<void>;
}

const PATH = '/connected';

/**
 * Listens on 127.0.0.1 for the browser's return (RFC 8252 §7.3).
 * @param port as registered at the provider; 0 for any
 * @throws {TradeAgentError} `port_in_use`
 */
export async function listenForReturn(port: number): Promise<LoopbackReturn> {
  const state = randomBytes(24).toString('base64url');
  const codeVerifier = randomBytes(32).toString('base64url');
  let tell: (answer: ReturnedAnswer) => void = () => undefined;
  const answered = new Promise<ReturnedAnswer>((resolve) => {
    tell = resolve;
  });

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const given = url.searchParams;
    const code = given.get('connect_code');
    const ours = request.method === 'GET' && url.pathname === PATH && given.get('state') === state;
    const says = (status: number, text: string) =>
      response
        .writeHead(status, {
          'content-type': 'text/plain; charset=utf-8',
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
          'content-security-policy': "default-src 'none'",
          connection: 'close',
        })
        .end(`${text}\n`);
    if (!ours) return says(404, 'There is nothing here.');
    const answer = code ? { connectCode: code } : { error: given.get('error') ?? 'invalid_response' };
    says(200, code ? 'Go back to your terminal.' : 'Nothing was connected. Go back to your terminal.');
    tell(answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new TradeAgentError('port_in_use', `port ${port} on 127.0.0.1 is in use or not allowed`, {
          hint: 'Stop what listens there, or choose another with --redirect-port; the provider must know it.',
          cause,
        }),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  const listening = (server.address() as AddressInfo).port;
  return {
    redirectUri: `http://127.0.0.1:${listening}${PATH}`,
    state,
    codeVerifier,
    codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    answer: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const onAbort = () => reject(signal.reason);
        signal.addEventListener('abort', onAbort, { once: true });
        void answered.then((answer) => {
          signal.removeEventListener('abort', onAbort);
          resolve(answer);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
