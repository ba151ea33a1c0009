import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { utcSeconds } from '../../../../src/machine/clock.ts';
import type { MessageDraft } from '../../../../src/trading/message.ts';
import { messageSendDetails } from '../../../../src/trading/message-details.ts';
import type { MintOptions } from './test-issuer.ts';
import { startWorld, type World } from './world.ts';

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

export interface MessageWorld extends Pick<World, 'clock' | 'issuer' | 'url' | 'close'> {
  /** What reached Slack and Gmail, oldest first. */
  readonly received: Received[];
  /** Their answers, first in line first; a success where there is none. */
  readonly answers: ServiceAnswer[];
  draft(changes?: Partial<MessageDraft>): MessageDraft;
  approve(draft: MessageDraft, options?: MintOptions): Promise<string>;
  send(body: unknown, token: string | undefined): Promise<Response>;
  outcome(id: string, claims?: Record<string, unknown>): Promise<Response>;
  restart(options?: { serviceUrl?: string }): void;
}

/** A real gateway on loopback, with an issuer and two services that do as a test tells them. */
export async function startMessageWorld(): Promise<MessageWorld> {
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

  const at = (url: string) => ({
    slack: { audience: 'slack', url: `${url}/api` },
    gmail: { audience: 'gmail', url },
  });
  const messages = at(servicesUrl);
  const world = await startWorld({ brokerTimeoutMs: 300, messages });
  const { clock, issuer, url } = world;
  // Messages alone: nobody has an account at the broker.
  issuer.connected.clear();
  issuer.elsewhere.set('alice slack', 'slack-token-of-alice');
  issuer.elsewhere.set('alice gmail', 'gmail-token-of-alice');
  return {
    ...{ clock, issuer, url },
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
          authorization_details: [messageSendDetails(draft, { gateway: url })],
          ...claims,
        },
      }),
    send: (body, token) =>
      fetch(`${url}/v1/messages`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
      }),
    outcome: async (id, claims = {}) =>
      world.get(`/v1/messages/${id}`, await world.reader('orders:read', claims)),
    restart: ({ serviceUrl = servicesUrl } = {}) => {
      Object.assign(messages, at(serviceUrl));
      world.restart();
    },
    close: async () => {
      services.closeAllConnections();
      await world.close();
      await new Promise((resolve) => services.close(resolve));
    },
  };
}
