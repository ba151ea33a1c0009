import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { streaming } from '@alpacahq/alpaca-trade-api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { cancel, eachWithBroker, inParts, open, orders, patch, placing, read, world } from './paper-broker-desk.ts';
import { KEYS } from './paper-broker-world.ts';

const closers: (() => void)[] = [];
eachWithBroker();
beforeEach(() => world.market.setPrice('F', '10.00'));
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const address = (path = '/stream') => `${world.url.replace('http', 'ws')}${path}`;

async function listen(): Promise<streaming.TradeUpdate[]> {
  const told: streaming.TradeUpdate[] = [];
  const stream = new streaming.TradingStream({ credentials: KEYS.alice, url: address(), reconnect: false });
  closers.push(() => stream.disconnect());
  stream.onTradeUpdate((update) => told.push(update));
  const listening = new Promise((resolve) => stream.on('subscription', resolve));
  stream.subscribeTradeUpdates();
  await stream.connect();
  await listening;
  return told;
}
const events = (told: readonly streaming.TradeUpdate[]) => told.map(({ event, order }) => `${event} ${order.status}`);
const see = (told: readonly streaming.TradeUpdate[], expected: readonly string[]) =>
  vi.waitFor(() => expect(events(told)).toEqual(expected), { timeout: 2000, interval: 5 });

const far = { symbol: 'F', side: 'buy', qty: '10', limitPrice: '5', timeInForce: 'gtc' } as const;

describe('the stream of order updates tells', () => {
  it('a fill with what was traded and what is held now', async () => {
    const told = await listen();
    const { id } = await orders.market({ symbol: 'F', side: 'buy', qty: '10' });
    await see(told, ['accepted accepted', 'new new', 'fill filled']);
    expect(told[1]?.order).toMatchObject({ filledQty: '0', id });
    const fill = { qty: '10', price: '10.01', positionQty: '10', order: { filledQty: '10' } };
    expect(told[2]).toMatchObject(fill);
    expect(told[2]?.executionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(told[2]?.timestamp?.getTime()).toBe(world.clock.now());
  });

  it('each part of a fill', async () => {
    await open({ partialFills: true });
    const told = await listen();
    const buy = placing({ symbol: 'F', side: 'buy', type: 'market', qty: '10', timeInForce: 'day' });
    const order = await inParts((clientOrderId) => buy({ clientOrderId }));
    await world.clock.advance(2000);
    const own = () => told.filter((update) => update.order.id === order.id);
    await vi.waitFor(() =>
      expect(own().map(({ event }) => event)).toEqual(['accepted', 'new', 'partial_fill', 'fill']),
    );
    const [, , part, rest] = own();
    expect(part?.qty).toBe(order.filledQty);
    expect(Number(part?.qty) + Number(rest?.qty)).toBe(10);
  });

  it('a cancel, a replacement and an expiry', async () => {
    await open({ hours: 'exchange' });
    const told = await listen();
    const order = await orders.limit({ ...far, timeInForce: 'day' });
    await cancel(await patch(order, { limitPrice: '6' }));
    await orders.limit({ ...far, timeInForce: 'day' });
    await world.clock.advance(6 * 3_600_000);
    const each = 'accepted new pending_replace replaced accepted new pending_cancel canceled accepted new expired';
    await see(
      told,
      each.split(' ').map((event) => `${event} ${event}`),
    );
  });

  it('orders that hang together, the one that is cancelled before the one that trades in its stead', async () => {
    const told = await listen();
    const exits = { takeProfit: { limitPrice: '11' }, stopLoss: { stopPrice: '9' } };
    const terms = { symbol: 'F', side: 'buy', type: 'market', qty: '10', timeInForce: 'gtc' };
    await placing(terms)({ orderClass: 'bracket', ...exits });
    await see(told, ['accepted accepted', 'held held', 'held held', 'new new', 'fill filled', 'new new']);
    told.length = 0;
    world.market.setPrice('F', '8.00');
    world.broker.settle();
    await see(told, ['canceled canceled', 'new new', 'fill filled']);
    expect(told[2]?.positionQty).toBe('0');
  });

  it('nothing of what was refused, and nobody else’s', async () => {
    const told = await listen();
    await orders.market({ symbol: 'F', side: 'buy', qty: '900000' }).catch(() => {});
    await (await world.alpaca('bob')).trading.orders.limit({ ...far, qty: '1' });
    await orders.limit({ ...far, qty: '2' });
    await see(told, ['accepted accepted', 'new new']);
    expect(told[0]?.order.qty).toBe('2');
  });
});

async function connect() {
  const socket = new WebSocket(address());
  closers.push(() => socket.terminate());
  const received: { text: string; binary: boolean }[] = [];
  socket.on('message', (data, binary) => received.push({ text: data.toString(), binary }));
  await once(socket, 'open');
  const ask = async (message: object) => {
    const answered = once(socket, 'message');
    socket.send(JSON.stringify(message));
    const [data] = await answered;
    return JSON.parse(String(data)) as { stream: string; data: Record<string, unknown> };
  };
  return { socket, received, ask };
}
const asAlice = { action: 'auth', key: KEYS.alice.keyId, secret: KEYS.alice.secret };
const listenMessage = { action: 'listen', data: { streams: ['trade_updates'] } };

describe('the stream', () => {
  it('takes key pairs and OAuth tokens, and answers in binary frames', async () => {
    const { alice } = KEYS;
    for (const message of [
      asAlice,
      { action: 'authenticate', data: { key_id: alice.keyId, secret_key: alice.secret } },
      { action: 'authenticate', data: { oauth_token: await world.token() } },
    ]) {
      const { ask, received } = await connect();
      expect(await ask(message)).toEqual({
        stream: 'authorization',
        data: { status: 'authorized', action: 'authenticate' },
      });
      expect(await ask(listenMessage)).toEqual({ stream: 'listening', data: { streams: ['trade_updates'] } });
      expect(received.every(({ binary }) => binary)).toBe(true);
    }
  });

  it('tells nothing before somebody is known', async () => {
    const { ask, received } = await connect();
    const refused = { stream: 'authorization', data: { status: 'unauthorized', action: 'authenticate' } };
    expect(await ask({ action: 'auth', key: KEYS.alice.keyId, secret: KEYS.bob.secret })).toEqual(refused);
    expect(await ask({ action: 'authenticate', data: { oauth_token: 'nonsense' } })).toEqual(refused);
    expect(await ask(listenMessage)).toEqual({
      stream: 'authorization',
      data: { status: 'unauthorized', action: 'listen' },
    });
    await orders.limit(far);
    // Whatever was told before the next answer would be there by then.
    await ask(listenMessage);
    expect(received.filter(({ text }) => text.includes('trade_updates'))).toEqual([]);
  });

  it('ends a connection that is not understood, and answers at no other path', async () => {
    const { socket } = await connect();
    const closed = once(socket, 'close');
    socket.send('listen!');
    expect((await closed)[0]).toBe(1008);
    const elsewhere = new WebSocket(address('/v2/stream'));
    const [error] = await once(elsewhere, 'error');
    expect(String(error)).toContain('404');
  });

  it('pings, and drops who does not answer, is not known, or may no longer be told', async () => {
    const known = await connect();
    await known.ask(asAlice);
    const silent = new WebSocket(address(), { autoPong: false });
    closers.push(() => silent.terminate());
    await once(silent, 'open');
    const answered = once(silent, 'message');
    silent.send(JSON.stringify(asAlice));
    await answered;
    const stranger = await connect();
    const pinged = Promise.all([once(known.socket, 'ping'), once(silent, 'ping')]);
    const turnedAway = once(stranger.socket, 'close');
    await world.clock.advance(20_000);
    await pinged;
    expect((await turnedAway)[0]).toBe(1008);
    // The answer to the ping is on its way before this one.
    await known.ask(listenMessage);
    const dropped = once(silent, 'close');
    await world.clock.advance(20_000);
    await dropped;
    expect(known.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('breaks instead of telling an update, where that fault is on', async () => {
    const { socket, ask } = await connect();
    await ask(asAlice);
    await ask(listenMessage);
    world.faults.set('broker_stream_drop', 1);
    const closed = once(socket, 'close');
    const order = await orders.limit(far);
    await closed;
    expect((await read(order)).status).toBe('new');
  });
});

it('the stream of a sandbox is at its broker, and ends with it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'trade-agent-stream-'));
  closers.push(() => rmSync(home, { recursive: true }));
  const sandbox = await startSandbox({ home, port: 0 });
  const [alice] = sandbox.seed.users;
  const socket = new WebSocket(`${sandbox.ready.broker.replace('http', 'ws')}/stream`);
  await once(socket, 'open');
  const answered = once(socket, 'message');
  const { key_id: key, secret } = alice?.broker_key ?? {};
  socket.send(JSON.stringify({ action: 'auth', key, secret }));
  expect(String((await answered)[0])).toContain('"authorized"');
  const closed = once(socket, 'close');
  await sandbox.close();
  await closed;
});
