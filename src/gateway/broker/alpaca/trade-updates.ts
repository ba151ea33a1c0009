import type { WebSocket } from 'ws';
import { z } from 'zod';
import { ownerLookup } from '../../../net/dispatch-fetch.ts';
import type { Broker, TradeUpdate, TradeUpdateListener } from '../broker.ts';
import type { AccountCredentials } from '../broker-credentials.ts';
import { type BrokerFailure, toReadProblem } from '../broker-failure.ts';

/** Maximum message size, in bytes. An order with all its legs is smaller. A larger message ends the connection. */
const MAX_MESSAGE_LENGTH = 128 * 1024;
/** Milliseconds between pings. A connection that did not answer the last ping is closed. */
const PING_INTERVAL_MS = 15_000;

interface TradeUpdatesOptions {
  readonly tradingUrl: string;
  /** Maximum time from connecting until Alpaca confirms that it will send updates, in milliseconds. */
  readonly timeoutMs: number;
}

const orderIds = z.object({ id: z.string(), client_order_id: z.string() });
const messageSchema = z.discriminatedUnion('stream', [
  z.object({ stream: z.literal('authorization'), data: z.object({ status: z.string() }) }),
  z.object({ stream: z.literal('listening'), data: z.object({ streams: z.array(z.string()) }) }),
  z.object({ stream: z.literal('trade_updates'), data: z.object({ order: orderIds }) }),
]);
type Message = z.output<typeof messageSchema>;

const unreadable: TradeUpdate = { ids: [] };

/**
 * Returns a function that listens to `trade_updates` (Trading API, "Websocket Streaming") on one connection. The
 * function does not report rejected credentials to `onUnauthorized`; the next read does.
 */
export function createAlpacaTradeUpdateListener(
  credentials: AccountCredentials,
  { tradingUrl, timeoutMs }: TradeUpdatesOptions,
): NonNullable<Broker['tradeUpdates']> {
  const address = `${tradingUrl.replace(/\/+$/, '').replace(/^http/, 'ws')}/stream`;
  return async (signal, listener) => {
    const { WebSocket } = await import('ws');
    if (signal.aborted) return;
    const authentication = authenticationBy(credentials);
    const socket = new WebSocket(address, {
      handshakeTimeout: timeoutMs,
      maxPayload: MAX_MESSAGE_LENGTH,
      // Prevents a small frame from inflating into a large one.
      perMessageDeflate: false,
      followRedirects: false,
      lookup: ownerLookup,
    });
    const failure = await listenOnSocket(socket, {
      credentials,
      authentication,
      signal,
      listener,
      timeoutMs,
    });
    if (failure !== undefined && !signal.aborted) throw toReadProblem(failure, undefined);
  };
}

interface Conversation {
  readonly credentials: AccountCredentials;
  readonly authentication: object;
  readonly signal: AbortSignal;
  readonly listener: TradeUpdateListener;
  readonly timeoutMs: number;
}

/** Resolves when the connection ends, with the failure if updates were never received. */
function listenOnSocket(
  socket: WebSocket,
  { credentials, authentication, signal, listener, timeoutMs }: Conversation,
): Promise<BrokerFailure | undefined> {
  let failure: BrokerFailure | undefined = { kind: 'unreachable' };
  const end = (why?: BrokerFailure) => {
    failure = why;
    socket.terminate();
  };
  const opening = setTimeout(() => end({ kind: 'timeout' }), timeoutMs);
  const stopBeating = heartbeat(socket);
  const stop = () => end();
  signal.addEventListener('abort', stop, { once: true });

  const hear = (message: Message | undefined): void => {
    switch (message?.stream) {
      case 'authorization':
        if (message.data.status === 'authorized') socket.send(JSON.stringify(listening));
        else end(unauthorized(credentials));
        break;
      case 'listening':
        if (!message.data.streams.includes('trade_updates')) {
          end({ kind: 'unreadable' });
          break;
        }
        clearTimeout(opening);
        failure = undefined;
        listener.live();
        break;
      case 'trade_updates':
        listener.update({ ids: [message.data.order.id, message.data.order.client_order_id] });
        break;
      default:
        listener.update(unreadable);
    }
  };
  return new Promise((resolve) => {
    socket.on('open', () => socket.send(JSON.stringify(authentication)));
    socket.on('message', (data) => hear(messageIn(data.toString())));
    // The error is not logged, because it may contain credentials. The socket closes after an error.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(opening);
      stopBeating();
      signal.removeEventListener('abort', stop);
      resolve(failure);
    });
  });
}

const listening = { action: 'listen', data: { streams: ['trade_updates'] } };

function authenticationBy(credentials: AccountCredentials): object {
  if ('accessToken' in credentials) return { action: 'authenticate', data: { oauth_token: credentials.accessToken } };
  if ('keyId' in credentials) return { action: 'auth', key: credentials.keyId, secret: credentials.secret };
  throw new TypeError('these credentials are for a different broker');
}

function unauthorized(credentials: AccountCredentials): BrokerFailure {
  return { kind: 'unauthorized', ...('accessToken' in credentials ? {} : { credentials: 'key_pair' }) };
}

function heartbeat(socket: WebSocket): () => void {
  let answered = true;
  const hear = () => {
    answered = true;
  };
  socket.on('pong', hear);
  socket.on('message', hear);
  const beating = setInterval(() => {
    if (socket.readyState !== socket.OPEN) return;
    if (!answered) {
      socket.terminate();
      return;
    }
    answered = false;
    socket.ping();
  }, PING_INTERVAL_MS);
  return () => clearInterval(beating);
}

function messageIn(text: string): Message | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
