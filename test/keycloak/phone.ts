import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/machine/clock.ts';

const MOST_TRIES = 20;
const RETRY_MS = 250;

/** What Keycloak tells its authentication channel about one CIBA request. */
export interface ChannelRequest {
  readonly login_hint: string;
  readonly binding_message: string;
  readonly scope: string;
  readonly is_consent_required: boolean;
  /** Names the request when it is answered. */
  readonly bearer: string;
}

/**
 * The person's phone: Keycloak's CIBA authentication channel, which is left to whoever runs a Keycloak. It gets each
 * request by HTTP and answers at the realm's callback.
 */
export async function startPhone() {
  const waiting: ChannelRequest[] = [];
  const wanted: ((request: ChannelRequest) => void)[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      const asked = { ...JSON.parse(body), bearer: request.headers.authorization ?? '' } as ChannelRequest;
      const taker = wanted.shift();
      if (taker === undefined) waiting.push(asked);
      else taker(asked);
      response.writeHead(201).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    channel: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ciba`,
    /** The next request that comes in, or one that waits already. */
    next: () =>
      new Promise<ChannelRequest>((resolve) => {
        const first = waiting.shift();
        if (first === undefined) wanted.push(resolve);
        else resolve(first);
      }),
    async answer(issuer: string, { bearer }: ChannelRequest, status: 'SUCCEED' | 'UNAUTHORIZED' | 'CANCELLED') {
      // Keycloak calls the channel before it has stored the request: an answer may come too early for it.
      for (let tries = 1; ; tries++) {
        const response = await fetch(`${issuer}/protocol/openid-connect/ext/ciba/auth/callback`, {
          method: 'POST',
          headers: { authorization: bearer, 'content-type': 'application/json' },
          body: JSON.stringify({ status }),
          signal: AbortSignal.timeout(30_000),
        });
        if (response.ok) return;
        const text = await response.text();
        if (response.status !== 403 || tries === MOST_TRIES) {
          throw new Error(`the callback answered ${response.status}: ${text}`);
        }
        await systemClock.sleep(RETRY_MS);
      }
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
export type Phone = Awaited<ReturnType<typeof startPhone>>;
