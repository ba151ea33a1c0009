import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { exportJWK, generateKeyPair } from 'jose';
import { createGateway, type Gateway } from '../../../../src/gateway/gateway.ts';
import { utcSeconds } from '../../../../src/machine/clock.ts';
import { listenOnLoopback } from '../../../../src/net/http-server.ts';
import { sqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import type { MessageDraft } from '../../../../src/trading/message.ts';
import { messageSendDetails } from '../../../../src/trading/message-details.ts';
import { type TestClock, testClock } from './test-clock.ts';
import { type MintOptions, startTestIssuer, type TestIssuer } from './test-issuer.ts';

/** What a service was asked, as it arrived. */
export interface Received {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

/** An answer, or what happens instead of one. */
export type ServiceAnswer =
  | { readonly status: number; readonly body: unknown; readonly location?: string }
  | 'drop'
  | 'hang'
  | { readonly wait: Promise<void>; readonly status: number; readonly body: unknown };

export interface MessageWorld {
  readonly clock: TestClock;
  readonly issuer: TestIssuer;
  readonly url: string;
  readonly database: Database.Database;
  /** What reached Slack and Gmail, oldest first. */
  readonly received: Received[];
  /** Their answers, first in line first; a success where there is none. */
  readonly answers: ServiceAnswer[];
  draft(changes?: Partial<MessageDraft>): MessageDraft;
  approve(draft: MessageDraft, options?: MintOptions): Promise<string>;
  send(body: unknown, token: string | undefined): Promise<Response>;
  outcome(id: string, claims?: Record<string, unknown>): Promise<Response>;
  restart(options?: { serviceUrl?: string }): void;
  close(): Promise<void>;
}

/** A real gateway on loopback, with an issuer and two services that do as a test tells them. */
export async function startMessageWorld(): Promise<MessageWorld> {
  const clock = testClock();
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const server = await listenOnLoopback(0, () => 0);
  const issuer = await startTestIssuer({
    clock,
    audience: () => server.url,
    gatewayClient: { client_id: 'gateway-client', jwk: await exportJWK(publicKey) },
  });
  issuer.elsewhere.set('alice slack', 'slack-token-of-alice');
  issuer.elsewhere.set('alice gmail', 'gmail-token-of-alice');

  const received: Received[] = [];
  const answers: ServiceAnswer[] = [];
  const services = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const path = request.url ?? '';
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
      received.push({ path, authorization: request.headers.authorization, body });
      const slack = { ok: true, channel: 'C012345678', ts: `17.${received.length}` };
      const usual = path.startsWith('/gmail/')
        ? { id: `mail-${received.length}`, labelIds: ['SENT'] }
        : slack;
      const answer = answers.shift() ?? { status: 200, body: usual };
      if (answer === 'hang') return;
      if (answer === 'drop') return void request.socket.destroy();
      if ('wait' in answer) await answer.wait;
      response
        .writeHead(answer.status, {
          'content-type': 'application/json',
          ...('location' in answer ? { location: answer.location } : {}),
        })
        .end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => services.listen(0, '127.0.0.1', resolve));
  const servicesUrl = `http://127.0.0.1:${(services.address() as AddressInfo).port}`;

  const database = new Database(':memory:');
  let gateway: Gateway;
  const start = (serviceUrl = servicesUrl) => {
    gateway = createGateway({
      issuer: issuer.url,
      resource: server.url,
      exchange: { client_id: 'gateway-client', privateKey, audience: 'paper-broker' },
      environment: 'paper',
      brokers: [{ name: 'broker', kind: 'alpaca', trading_url: servicesUrl, simulated: true }],
      messages: {
        slack: { audience: 'slack', url: `${serviceUrl}/api` },
        gmail: { audience: 'gmail', url: serviceUrl },
      },
      stores: sqliteGatewayStores(database),
      clock,
      brokerTimeoutMs: 300,
    });
    const listener = getRequestListener(gateway.app.fetch);
    server.serve((request, response) => void listener(request, response));
  };
  start();
  return {
    clock,
    issuer,
    url: server.url,
    database,
    received,
    answers,
    draft: (changes = {}) => ({
      service: 'slack',
      recipient: '#trading',
      text: 'Equity $1.00\nAAPL: 5',
      client_message_id: `ta-${randomUUID()}`,
      expires_at: utcSeconds(clock.now() + 240_000),
      ...changes,
    }),
    approve: (draft, { claims, ...rest } = {}) =>
      issuer.mint({
        ...rest,
        claims: {
          scope: 'openid messages:write',
          authorization_details: [messageSendDetails(draft, { gateway: server.url })],
          ...claims,
        },
      }),
    send: (body, token) =>
      fetch(`${server.url}/v1/messages`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
      }),
    outcome: async (id, claims = {}) =>
      fetch(`${server.url}/v1/messages/${id}`, {
        headers: {
          authorization: `Bearer ${await issuer.mint({ claims: { scope: 'orders:read', ...claims } })}`,
        },
      }),
    restart: ({ serviceUrl } = {}) => {
      gateway.close();
      start(serviceUrl);
    },
    close: async () => {
      gateway.close();
      services.closeAllConnections();
      await Promise.all([server.close(), issuer.close(), new Promise((resolve) => services.close(resolve))]);
      database.close();
    },
  };
}
