import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { ActiveFaults } from '../../../home/identity-provider/faults.ts';
import type { Clock } from '../../../machine/clock.ts';
import type { Access, Grant } from './access.ts';

/** Ping interval in milliseconds. Connections that miss a pong are closed. */
const PING_INTERVAL_MS = 20_000;
const MAX_MESSAGE_BYTES = 16 * 1024;
const POLICY_VIOLATION = 1008;
const GOING_AWAY = 1001;

interface Connection {
  grant?: (() => Grant | undefined) | undefined;
  listening: boolean;
  answered: boolean;
}

const keyPair = z.object({ key: z.string(), secret: z.string() });
const messageSchema = z.union([
  z.object({ action: z.enum(['auth', 'authenticate']), ...keyPair.shape }),
  z.object({
    action: z.literal('authenticate'),
    data: z.union([
      z.object({ oauth_token: z.string() }),
      z
        .object({ key_id: z.string(), secret_key: z.string() })
        .transform(({ key_id: key, secret_key: secret }) => ({ key, secret })),
    ]),
  }),
  z.object({ action: z.literal('listen'), data: z.object({ streams: z.array(z.string()).max(16) }) }),
]);

type Message = z.output<typeof messageSchema>;

const authorization = (known: boolean, action: string) => ({
  stream: 'authorization',
  data: { status: known ? 'authorized' : 'unauthorized', action },
});

/**
 * Creates Alpaca's WebSocket `/stream` ("Websocket streaming") with the stream `trade_updates`. Clients authenticate
 * with a key pair or an OAuth token. Frames are binary JSON, as on Alpaca's paper endpoint.
 */
export function createTradeStream(options: { access: Access; clock: Clock; faults: ActiveFaults }) {
  const { access, clock, faults } = options;
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  const connections = new Map<WebSocket, Connection>();

  const send = (socket: WebSocket, message: object) =>
    socket.send(Buffer.from(JSON.stringify(message)), { binary: true });

  const authenticate = (connection: Connection, grant: () => Grant | undefined) => {
    const known = grant() !== undefined;
    if (known) connection.grant = grant;
    return authorization(known, 'authenticate');
  };

  const answerTo = (connection: Connection, message: Message) => {
    if (message.action !== 'listen') {
      const given = 'data' in message ? message.data : message;
      return authenticate(connection, () =>
        'oauth_token' in given ? access.byToken(given.oauth_token) : access.byKey(given.key, given.secret),
      );
    }
    if (connection.grant === undefined) return authorization(false, 'listen');
    const streams = message.data.streams.filter((name) => name === 'trade_updates');
    connection.listening = streams.length > 0;
    return { stream: 'listening', data: { streams } };
  };

  server.on('connection', (socket) => {
    const connection: Connection = { listening: false, answered: true };
    connections.set(socket, connection);
    socket.on('pong', () => {
      connection.answered = true;
    });
    socket.on('message', (data) => {
      const message = parseMessage(data.toString());
      if (message === undefined) socket.close(POLICY_VIOLATION, 'not understood');
      else send(socket, answerTo(connection, message));
    });
    socket.on('error', () => {});
    socket.on('close', () => connections.delete(socket));
  });

  const beat = (): void => {
    for (const [socket, connection] of connections) {
      if (!connection.answered) socket.terminate();
      else if (connection.grant?.() === undefined) socket.close(POLICY_VIOLATION, 'not authorized');
      else {
        connection.answered = false;
        socket.ping();
      }
    }
  };
  const stop = new AbortController();
  void runEvery(PING_INTERVAL_MS, clock, stop.signal, beat);

  return {
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
      if (new URL(request.url ?? '/', 'http://broker').pathname !== '/stream') {
        socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, (opened) => server.emit('connection', opened, request));
    },
    tell(accountId: string, message: object): void {
      for (const [socket, { listening, grant }] of connections) {
        if (!listening || grant?.()?.account.id !== accountId) continue;
        if (faults.take('broker_stream_drop')) socket.terminate();
        else send(socket, message);
      }
    },
    close(): void {
      stop.abort();
      for (const socket of connections.keys()) {
        socket.close(GOING_AWAY);
        socket.terminate();
      }
      server.close();
    },
  };
}

function parseMessage(text: string): Message | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function runEvery(
  ms: number,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
  work: () => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(ms, signal);
    } catch {
      return; // closed
    }
    work();
  }
}
