import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Session } from '../../../src/auth/session.ts';
import type { MessageDraft, SentMessage } from '../../../src/trading/message.ts';
import { messageDigest } from '../../../src/trading/message-details.ts';
import { tokenFor } from './gateway-stand-in.ts';
import type { World } from './world.ts';

type Fault =
  | 'drop_before_accept'
  | 'drop_after_accept'
  | 'answer_503'
  | { status: number; code: string; final?: true };

/** The gateway's side of messages; what a fault does is done once. */
export interface MessageGateway {
  /** What was sent, each once. */
  readonly sent: MessageDraft[];
  readonly posts: MessageDraft[];
  readonly faults: Fault[];
  /** Each answered as if the gateway could not be reached. */
  hiddenLookups: number;
  connected: boolean;
  onPost: (() => Promise<void>) | undefined;
  /** Alice's session, whose requests about messages come here; all others go to the world's gateway. */
  readonly session: Session;
}

export async function startMessageGateway(world: World): Promise<MessageGateway> {
  const results = new Map<string, SentMessage>();
  const gateway = {
    sent: [] as MessageDraft[],
    posts: [] as MessageDraft[],
    faults: [] as Fault[],
    hiddenLookups: 0,
    connected: true,
    onPost: undefined as (() => Promise<void>) | undefined,
  };
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const problem = (status: number, code: string, more = {}) =>
      send(status, { type: 'about:blank', title: code, status, code, detail: code, ...more });
    if (path.startsWith('/v1/connections')) {
      return send(200, { connections: [{ name: 'slack', connected: gateway.connected }] });
    }
    if (request.method === 'GET') {
      if (gateway.hiddenLookups-- > 0) return void request.socket.destroy();
      const known = results.get(path.split('/').at(-1) ?? '');
      return known === undefined ? problem(404, 'not_found') : send(200, known);
    }
    const draft = JSON.parse(await textOf(request)) as MessageDraft;
    gateway.posts.push(draft);
    await gateway.onPost?.();
    if (request.headers.authorization !== `Bearer ${tokenFor(messageDigest(draft))}`) {
      return problem(403, 'details_mismatch');
    }
    const fault = gateway.faults.shift();
    if (fault === 'drop_before_accept') return void request.socket.destroy();
    if (fault === 'answer_503') return problem(503, 'service_busy');
    if (typeof fault === 'object') return problem(fault.status, fault.code, { final: fault.final });
    const id = draft.client_message_id;
    if (!results.has(id)) {
      gateway.sent.push(draft);
      const { service, recipient } = draft;
      results.set(id, {
        client_message_id: id,
        service,
        recipient,
        service_id: '17.1',
        sent_at: '2026-11-24T15:00:00Z',
      });
    }
    if (fault === 'drop_after_accept') return void request.socket.destroy();
    send(201, results.get(id));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const here = (address: string) =>
    /\/v1\/(messages|connections)/.test(address) ? address.replace(world.profile.gateway, url) : address;
  const session: Session = {
    ...world.session,
    fetch: (address, init, scopes) => world.session.fetch(here(address), init, scopes),
    fetchWithApproval: (address, init, token) => world.session.fetchWithApproval(here(address), init, token),
  };
  return Object.assign(gateway, { session });
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
