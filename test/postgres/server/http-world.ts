import { createParser } from 'eventsource-parser';
import { exportJWK, generateKeyPair } from 'jose';
import type { AgentEvent } from '../../../src/agent/events.ts';
import type { RequestLogEntry } from '../../../src/gateway/auth/authenticator.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createRequestListener, listenOnLoopback } from '../../../src/net/http-server.ts';
import { SESSION_SCOPES } from '../../../src/oauth/scopes.ts';
import { createServerApp, type ServerAppOptions } from '../../../src/server/http/server-app.ts';
import { dpopKey } from '../../integration/gateway/support/dpop-key.ts';
import { testClock } from '../../integration/gateway/support/test-clock.ts';
import { startTestIssuer } from '../../integration/gateway/support/test-issuer.ts';
import type { ServerWorld } from './server-world.ts';

export interface AskOptions {
  readonly person?: string;
  readonly body?: unknown;
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly scopes?: readonly string[];
  /** Instead of a sound token's. */
  readonly claims?: Record<string, unknown>;
  readonly signal?: AbortSignal;
}

/** Servers of worlds at one public address, with an identity provider that signs whatever is asked for. */
export async function startHttpWorld() {
  const { publicKey } = await generateKeyPair('ES256');
  const ADDRESS = 'http://127.0.0.1:7090';
  const issuer = await startTestIssuer({
    clock: testClock(),
    audience: () => ADDRESS,
    gatewayClient: { client_id: 'server', jwk: await exportJWK(publicKey) },
  });
  const bound = await dpopKey();
  const log: RequestLogEntry[] = [];
  const closing: (() => Promise<void>)[] = [];

  const serve = async (world: ServerWorld, more: Pick<ServerAppOptions, 'routes'> = {}) => {
    const parts = await world.machine();
    const http = await listenOnLoopback(0, () => systemClock.now());
    const served = createServerApp({
      ...parts,
      ...more,
      ...{
        address: ADDRESS,
        issuer: issuer.url,
        environment: 'paper',
        version: '0',
        log: (entry: RequestLogEntry) => void log.push(entry),
      },
    });
    http.serve(createRequestListener(served.app));
    const close = async () => {
      await Promise.all([served.close(), http.close(1_000)]);
    };
    closing.push(close);
    /** Asks with a token and a proof of its own. */
    const ask = async (
      method: string,
      path: string,
      { person = 'alice-sub', body, key, headers = {}, scopes = SESSION_SCOPES, claims, signal }: AskOptions = {},
    ): Promise<Response> => {
      const token = await issuer.mint({
        claims: { sub: person, scope: scopes.join(' '), cnf: { jkt: bound.jkt }, ...claims },
      });
      const [plain = path] = path.split('?');
      const proof = await bound.proof({ method, url: `${ADDRESS}${plain}`, token, at: Date.now() });
      return await fetch(`${http.url}${path}`, {
        method,
        headers: {
          ...{ authorization: `DPoP ${token}`, dpop: proof },
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    };
    return { url: http.url, parts, ask, close };
  };
  return {
    ...{ issuer, log, serve },
    async close() {
      await Promise.all(closing.map((close) => close()));
      await issuer.close();
    },
  };
}
export type HttpWorld = Awaited<ReturnType<typeof startHttpWorld>>;
export type TestServer = Awaited<ReturnType<HttpWorld['serve']>>;

export async function eventsOf(
  response: Response,
  onEvent: (event: AgentEvent, id: string) => void = () => undefined,
): Promise<{ readonly event: AgentEvent; readonly id: string }[]> {
  const events: { event: AgentEvent; id: string }[] = [];
  const parser = createParser({
    onEvent: ({ id = '', data }) => {
      const event = JSON.parse(data) as AgentEvent;
      events.push({ event, id });
      onEvent(event, id);
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
  return events;
}
