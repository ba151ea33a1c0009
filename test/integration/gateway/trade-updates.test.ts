import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createAlpacaTradeUpdateListener } from '../../../src/gateway/broker/alpaca/trade-updates.ts';
import type { TradeUpdate } from '../../../src/gateway/broker/broker.ts';
import type { AccountCredentials } from '../../../src/gateway/broker/broker-credentials.ts';

const pair = { keyId: 'PKALICE00000000001', secret: 'alice/secret+of/the+test' };
const authorized = { stream: 'authorization', data: { status: 'authorized', action: 'authenticate' } };
const listening = { stream: 'listening', data: { streams: ['trade_updates'] } };
const update = (order: object) => ({ stream: 'trade_updates', data: { event: 'fill', order } });

let server: WebSocketServer;
let url: string;
/** What came, and how: the addresses and headers that were asked for, and each message. */
let asked: string[];
let messages: unknown[];
/** What each message is answered with, in turn. */
let answers: (unknown | ((socket: WebSocket) => void))[];
let sockets: WebSocket[];
beforeEach(async () => {
  [asked, messages, answers, sockets] = [[], [], [authorized, listening], []];
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('connection', (socket, request) => {
    sockets.push(socket);
    asked.push(`${request.url} ${JSON.stringify(request.headers)}`);
    socket.on('error', () => {});
    socket.on('message', (data) => {
      messages.push(JSON.parse(data.toString()));
      const answer = answers.shift();
      if (typeof answer === 'function') answer(socket);
      else if (answer !== undefined) socket.send(JSON.stringify(answer));
    });
  });
});
afterEach(() => {
  vi.useRealTimers();
  for (const socket of sockets) socket.terminate();
  server.close();
});

function listen(credentials: AccountCredentials = pair, timeoutMs = 2_000, tradingUrl = `${url}/`) {
  const told: TradeUpdate[] = [];
  const stop = new AbortController();
  let standing = 0;
  const over = createAlpacaTradeUpdateListener(credentials, { tradingUrl, timeoutMs })(stop.signal, {
    live: () => {
      standing += 1;
    },
    update: (one) => told.push(one),
  });
  over.catch(() => undefined);
  const stands = () => expect.poll(() => standing, { interval: 2 }).toBe(1);
  return { told, over, stands, stop: () => stop.abort(), isLive: () => standing > 0 };
}
const say = (text: string | Buffer) => sockets[0]?.send(text);

describe('the stream of order updates at Alpaca', () => {
  it.each([
    ['a key pair', pair, { action: 'auth', key: pair.keyId, secret: pair.secret }],
    ['a token', { accessToken: 'tok-1' }, { action: 'authenticate', data: { oauth_token: 'tok-1' } }],
  ])('is opened by %s in its first message, and nowhere else', async (_, credentials, first) => {
    const { stands, stop, over } = listen(credentials);
    await stands();
    expect(messages).toEqual([first, { action: 'listen', data: { streams: ['trade_updates'] } }]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/^\/stream /);
    for (const secret of [pair.keyId, pair.secret, 'tok-1']) expect(asked[0]).not.toContain(secret);
    stop();
    await over;
  });

  it('tells by which ids an order goes, from text and from binary frames', async () => {
    const { told, stands } = listen();
    await stands();
    const message = JSON.stringify(update({ id: 'o-1', client_order_id: 'c-1', status: 'filled' }));
    say(message);
    say(Buffer.from(message));
    await expect.poll(() => told).toEqual(Array(2).fill({ ids: ['o-1', 'c-1'] }));
  });

  it.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['an order without an id', JSON.stringify(update({ client_order_id: 'c-1' }))],
    ['an id that is none', JSON.stringify(update({ id: 7, client_order_id: 'c-1' }))],
    ['a stream that was not asked for', JSON.stringify({ stream: 'gossip', data: {} })],
    ['a list', '[]'],
  ])('tells of %s as of something about nobody knows what', async (_, text) => {
    const { told, stands } = listen();
    await stands();
    say(text);
    await expect.poll(() => told).toEqual([{ ids: [] }]);
  });

  it('ends with a message of 10 MB, which is not read', async () => {
    const { told, stands, over } = listen();
    await stands();
    say(JSON.stringify({ ...update({ id: 'o-1', client_order_id: 'c-1' }), fill: 'x'.repeat(10_000_000) }));
    await over;
    expect(told).toEqual([]);
  });

  it.each([
    ['a key pair', pair],
    ['a token', { accessToken: 'tok-1' }],
  ])('that refuses %s is a refusal without a word of it', async (_, credentials) => {
    answers = [{ stream: 'authorization', data: { status: 'unauthorized', action: 'authenticate' } }];
    const { over, isLive } = listen(credentials);
    const error = await over.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 409, code: 'account_not_connected' });
    expect(JSON.stringify([error, String(error)])).not.toMatch(/alice\/secret|PKALICE|tok-1/);
    expect(isLive()).toBe(false);
  });

  it.each([
    ['never answers', [undefined], 'broker_timeout'],
    ['never says that it listens', [authorized, undefined], 'broker_timeout'],
    [
      'listens to something else',
      [authorized, { stream: 'listening', data: { streams: [] } }],
      'broker_invalid_response',
    ],
    ['hangs up', [(socket: WebSocket) => socket.terminate()], 'broker_unavailable'],
  ])('that %s is no stream', async (_, said, code) => {
    answers = said;
    await expect(listen(pair, 200).over).rejects.toMatchObject({ code });
  });

  it('that nobody serves is no stream', async () => {
    const { over } = listen(pair, 2_000, 'http://127.0.0.1:9');
    await expect(over).rejects.toMatchObject({ code: 'broker_unavailable' });
  });

  it('ends where it was standing and breaks, without an error', async () => {
    const { over, stands } = listen();
    await stands();
    sockets[0]?.terminate();
    await expect(over).resolves.toBeUndefined();
  });

  it('ends where nobody answers a ping', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { over, stands } = listen();
    await stands();
    const [socket] = sockets;
    vi.advanceTimersByTime(15_000);
    await once(socket as WebSocket, 'ping');
    // It answered: it lives on. Then it is cut off without a word.
    socket?.pause();
    vi.advanceTimersByTime(15_000);
    vi.advanceTimersByTime(15_000);
    await over;
  });
});
