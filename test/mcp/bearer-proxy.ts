import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The conformance suite sends no token: this adds one. Whatever else comes goes on as it came, also a Host and an Origin
 * that are not ours; only those of the proxy itself become the endpoint's.
 * @param more headers that it adds too
 */
export async function bearerProxy(
  target: string,
  token: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ url: string; close(): void }> {
  const { hostname, port, host, origin, pathname } = new URL(target);
  let own = '';
  const translated = (value: string | undefined) => (value === own ? host : value);
  const server = createServer((incoming, outgoing) => {
    const { headers } = incoming;
    const from = headers.origin === `http://${own}` ? origin : headers.origin;
    const forwarded = request(
      {
        ...{ hostname, port, path: incoming.url, method: incoming.method },
        headers: {
          ...headers,
          host: translated(headers.host),
          ...(from === undefined ? {} : { origin: from }),
          authorization: `Bearer ${token}`,
          ...more,
        },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    // A client that goes away is seen at the endpoint.
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  own = `localhost:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${own}${pathname}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
