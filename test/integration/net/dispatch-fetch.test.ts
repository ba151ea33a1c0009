import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DispatchDeadline, NotDispatchedError, withDispatchDeadline } from '../../../src/net/dispatch-deadline.ts';
import { dispatchFetch } from '../../../src/net/dispatch-fetch.ts';

const tls = {
  cert: readFileSync(new URL('../../fixtures/tls/loopback-cert.pem', import.meta.url), 'utf8'),
  key: readFileSync(new URL('../../fixtures/tls/loopback-key.pem', import.meta.url), 'utf8'),
};
const trusted = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([...trusted, tls.cert]));
afterAll(() => setDefaultCACertificates(trusted));

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** What a server saw of its connections: how many were made, and how each ended. */
interface Connections {
  made: number;
  readonly ends: string[];
}

/** Counts connections, and notes for each whether the other side closed it or reset it. */
function watch(server: Server, event: 'connection' | 'secureConnection'): Connections {
  const connections: Connections = { made: 0, ends: [] };
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on(event, (socket: Socket) => {
    connections.made++;
    socket.on('end', () => connections.ends.push('FIN'));
    socket.on('error', (error: NodeJS.ErrnoException) => connections.ends.push(String(error.code)));
  });
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return connections;
}

async function addressOf(server: Server, protocol: string): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A real server on loopback, and what reached it. */
async function serve(
  protocol: 'http' | 'https',
  answer: RequestListener = (_, response) => response.end('done'),
  options: ServerOptions = {},
) {
  const requests: Received[] = [];
  const listener: RequestListener = async (request, response) => {
    const { method, url, headers } = request;
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    requests.push({ method, url, headers, body: body.toString('latin1') });
    await answer(request, response);
  };
  const server =
    protocol === 'https' ? createHttpsServer({ ...tls, ...options }, listener) : createHttpServer(options, listener);
  const connections = watch(server, protocol === 'https' ? 'secureConnection' : 'connection');
  return { url: await addressOf(server, protocol), requests, connections };
}

/** A server that takes connections, and then does as it is told with what it gets. */
async function serveRaw(onData: (data: string, socket: Socket) => void) {
  const received: string[] = [];
  const server = createTcpServer((socket) => {
    socket.on('data', (data) => {
      received.push(data.toString('latin1'));
      onData(data.toString('latin1'), socket);
    });
  });
  const connections = watch(server, 'connection');
  return { url: await addressOf(server, 'http'), received, connections };
}

const ahead = () => new DispatchDeadline(() => false);
const passed = () => new DispatchDeadline(() => true);
const post = (url: string, init: RequestInit = {}, deadline = ahead()) =>
  withDispatchDeadline(deadline, () => dispatchFetch(url, { method: 'POST', body: '{"qty":"5"}', ...init }));
/** The reason for which a request failed. */
const causeOf = async (request: Promise<Response>): Promise<unknown> => {
  const error = await request.then(
    () => expect.fail('it was answered'),
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(TypeError);
  return (error as TypeError).cause;
};
const timeout = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError');

describe.each(['http', 'https'] as const)('a request over %s that must leave by a deadline', (protocol) => {
  describe('after the deadline', () => {
    it('is not written where the deadline passes while the connection is made', async () => {
      const { url, requests } = await serve(protocol);
      let isOver = false;
      const deadline = new DispatchDeadline(() => isOver);
      const pass = () => {
        isOver = true;
      };
      // Published when a socket begins to connect.
      subscribe('net.client.socket', pass);
      try {
        expect(await causeOf(post(url, {}, deadline))).toBeInstanceOf(NotDispatchedError);
      } finally {
        unsubscribe('net.client.socket', pass);
      }
      expect(isOver).toBe(true);
      expect(deadline.nothingSent).toBe(true);
      // What comes next would arrive after it.
      await (await post(url, { body: 'next' })).text();
      expect(requests.map(({ body }) => body)).toEqual(['next']);
    });

    it('is not written to a connection that is open already', async () => {
      const { url, requests } = await serve(protocol);
      await (await post(url)).text();
      const deadline = passed();
      expect(await causeOf(post(url, {}, deadline))).toBeInstanceOf(NotDispatchedError);
      expect(deadline.nothingSent).toBe(true);
      // What comes next would arrive after it.
      await (await post(url, { body: 'next' })).text();
      expect(requests.map(({ body }) => body)).toEqual(['{"qty":"5"}', 'next']);
    });

    it('does not count as nothing sent where an earlier request of the same work had left', async () => {
      const { url } = await serve(protocol);
      let isOver = false;
      const deadline = new DispatchDeadline(() => isOver);
      await (await post(url, {}, deadline)).text();
      isOver = true;
      expect(await causeOf(post(url, {}, deadline))).toBeInstanceOf(NotDispatchedError);
      expect(deadline.nothingSent).toBe(false);
    });
  });

  describe('before the deadline', () => {
    it('arrives whole, and its answer is read', async () => {
      const { url, requests } = await serve(protocol, (_, response) => {
        response.writeHead(201, 'Made', [
          ...['content-type', 'application/json', 'set-cookie', 'a=1', 'set-cookie', 'b=2'],
        ]);
        response.end('{"id":"order-1"}');
      });
      const deadline = ahead();
      const headers = { 'content-type': 'application/json', authorization: 'Bearer token' };
      const answer = await post(`${url}/v2/orders?x=1`, { headers }, deadline);
      expect(requests).toEqual([
        {
          ...{ method: 'POST', url: '/v2/orders?x=1', body: '{"qty":"5"}' },
          headers: expect.objectContaining({ ...headers, host: new URL(url).host, 'content-length': '11' }),
        },
      ]);
      expect({ status: answer.status, text: answer.statusText, ok: answer.ok }).toEqual({
        ...{ status: 201, text: 'Made', ok: true },
      });
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
      expect(await answer.json()).toEqual({ id: 'order-1' });
      expect(deadline.nothingSent).toBe(false);
    });

    it('tells of its client what fetch tells', async () => {
      const { url, requests } = await serve(protocol);
      await (await dispatchFetch(url, { method: 'POST', body: 'x' })).text();
      await (await post(url, { body: 'x' })).text();
      await (await post(url, { body: 'x', headers: { accept: 'text/event-stream', 'user-agent': 'own' } })).text();
      const told = requests.map(({ headers }) => [headers.accept, headers['user-agent']]);
      expect(told).toEqual([told[0], told[0], ['text/event-stream', 'own']]);
      expect(told[0]).not.toContain(undefined);
    });

    it.each<[string, RequestInit['body'], string, string | undefined]>([
      ['a string', 'one=€', Buffer.from('one=€').toString('latin1'), 'text/plain;charset=UTF-8'],
      [
        'form fields',
        new URLSearchParams({ side: 'buy', tag: 'a b' }),
        'side=buy&tag=a+b',
        'application/x-www-form-urlencoded;charset=UTF-8',
      ],
      ['bytes', new Uint8Array([0, 1, 254, 255]), '\x00\x01\xfe\xff', undefined],
      ['nothing', null, '', undefined],
    ])('carries %s', async (_, body, expected, type) => {
      const { url, requests } = await serve(protocol);
      await (await post(url, { body: body ?? null })).text();
      expect(requests[0]?.body).toBe(expected);
      expect(requests[0]?.headers['content-type']).toBe(type);
    });

    it.each(['PUT', 'PATCH', 'DELETE'])('may be a %s', async (method) => {
      const { url, requests } = await serve(protocol);
      const request = new Request(url, { method, body: 'x' });
      const deadline = passed();
      expect(await causeOf(withDispatchDeadline(deadline, () => dispatchFetch(request)))).toBeInstanceOf(
        NotDispatchedError,
      );
      const answer = await withDispatchDeadline(ahead(), () => dispatchFetch(new Request(url, { method, body: 'x' })));
      expect(await answer.text()).toBe('done');
      expect(requests.map(({ method, body }) => [method, body])).toEqual([[method, 'x']]);
    });

    it('is answered without a body by a 204', async () => {
      const { url, connections } = await serve(protocol, (_, response) => response.writeHead(204).end());
      const answer = await post(url);
      expect([answer.status, answer.body]).toEqual([204, null]);
      expect((await post(url)).status).toBe(204);
      expect(connections.made).toBe(1);
    });

    it('is answered part by part', async () => {
      const more = Promise.withResolvers<void>();
      const { url } = await serve(protocol, async (_, response) => {
        response.write('first');
        await more.promise;
        response.end('second');
      });
      const parts: string[] = [];
      for await (const part of (await post(url)).body ?? []) {
        parts.push(Buffer.from(part).toString());
        more.resolve();
      }
      expect(parts).toEqual(['first', 'second']);
    });

    it.each([400, 403, 422, 500, 503])('is answered with a refusal (%i), which is no failure', async (status) => {
      const { url } = await serve(protocol, (_, response) => response.writeHead(status).end('no'));
      const answer = await post(url);
      expect([answer.status, answer.ok, await answer.text()]).toEqual([status, false, 'no']);
    });

    it('uses a connection again', async () => {
      const { url, requests, connections } = await serve(protocol);
      for (let n = 0; n < 3; n++) await (await post(url)).text();
      expect(requests).toHaveLength(3);
      expect(connections.made).toBe(1);
    });

    it('closes a connection that was idle for some seconds, since the network may have dropped it', async () => {
      // A server that would keep it open, and does not say for how long it does.
      const { url, connections } = await serve(protocol, (_, response) => response.end('done'), {
        keepAliveTimeout: 0,
      });
      await (await post(url)).text();
      await expect.poll(() => connections.ends).toEqual(['FIN']);
    });

    it.each([301, 302, 303, 307, 308])('is not redirected by a %i', async (status) => {
      const { url, requests } = await serve(protocol, ({ url: path }, response) =>
        path === '/elsewhere' ? response.end('done') : response.writeHead(status, { location: '/elsewhere' }).end(),
      );
      expect(await causeOf(post(url))).toMatchObject({ message: 'unexpected redirect' });
      expect(requests.map((request) => request.url)).toEqual(['/']);
    });

    it('fails as one that may have been sent where the server ends the connection', async () => {
      const { url } = await serve(protocol, (request) => request.socket.destroy());
      const deadline = ahead();
      expect(await causeOf(post(url, {}, deadline))).toMatchObject({ code: 'ECONNRESET' });
      expect(deadline.nothingSent).toBe(false);
    });
  });

  describe('when its signal aborts', () => {
    it('sends nothing where it had aborted before', async () => {
      const { url, connections } = await serve(protocol);
      const reason = timeout();
      const deadline = ahead();
      await expect(post(url, { signal: AbortSignal.abort(reason) }, deadline)).rejects.toBe(reason);
      expect(deadline.nothingSent).toBe(false);
      // Whatever it had begun would have connected before this one.
      await (await post(url)).text();
      expect(connections.made).toBe(1);
    });

    it('resets the connection, so that the operating system delivers nothing any more', async () => {
      const { url, requests, connections } = await serve(protocol, () => undefined);
      const controller = new AbortController();
      const answer = post(url, { signal: controller.signal });
      await expect.poll(() => requests.length).toBe(1);
      const reason = timeout();
      controller.abort(reason);
      await expect(answer).rejects.toBe(reason);
      await expect.poll(() => connections.ends).toEqual(['ECONNRESET']);
    });

    it('resets the connection while its answer is read', async () => {
      const { url, connections } = await serve(protocol, (_, response) => void response.write('first'));
      const controller = new AbortController();
      const answer = await post(url, { signal: controller.signal });
      const body = answer.text();
      body.catch(() => undefined);
      controller.abort(timeout());
      await expect(body).rejects.toThrow();
      await expect.poll(() => connections.ends).toEqual(['ECONNRESET']);
    });

    it('keeps the connection for the next request where its answer was read before', async () => {
      const { url, connections } = await serve(protocol);
      const controller = new AbortController();
      await (await post(url, { signal: controller.signal })).text();
      await (await post(url)).text();
      controller.abort(timeout());
      expect(await (await post(url)).text()).toBe('done');
      expect(connections).toEqual({ made: 1, ends: [] });
    });
  });

  it('fails with the reason where nobody listens', async () => {
    const server = createTcpServer();
    const url = await addressOf(server, protocol);
    await new Promise((closed) => server.close(closed));
    const deadline = ahead();
    expect(await causeOf(post(url, {}, deadline))).toMatchObject({ code: 'ECONNREFUSED' });
    expect(deadline.nothingSent).toBe(false);
  });

  it.each(['GET', 'HEAD'])('is sent by fetch where it is a %s, which changes nothing', async (method) => {
    const { url, requests } = await serve(protocol, (_, response) => response.end('done'));
    const deadline = passed();
    const answer = await withDispatchDeadline(deadline, () => dispatchFetch(url, { method }));
    expect(answer.status).toBe(200);
    expect(requests.map((request) => request.method)).toEqual([method]);
    expect(deadline.nothingSent).toBe(false);
  });

  it('is sent by fetch where there is no deadline, and follows a redirect only where the caller says so', async () => {
    const { url, requests } = await serve(protocol, ({ url: path }, response) =>
      path === '/' ? response.writeHead(307, { location: '/elsewhere' }).end() : response.end('done'),
    );
    const sent = { method: 'POST', body: 'x' };
    await expect(dispatchFetch(url, sent)).rejects.toMatchObject({ cause: { message: 'unexpected redirect' } });
    expect(requests.map((request) => request.url)).toEqual(['/']);
    const answer = await dispatchFetch(url, { ...sent, redirect: 'follow' });
    expect(answer.status).toBe(200);
    expect(requests.slice(1).map((request) => [request.method, request.url, request.body])).toEqual([
      ['POST', '/', 'x'],
      ['POST', '/elsewhere', 'x'],
    ]);
  });
});

describe('a request over https that must leave by a deadline', () => {
  it('is not written to a server that it does not trust', async () => {
    setDefaultCACertificates(trusted);
    try {
      const { url, requests } = await serve('https');
      const deadline = ahead();
      expect(await causeOf(post(url, {}, deadline))).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      expect(requests).toEqual([]);
      expect(deadline.nothingSent).toBe(false);
    } finally {
      setDefaultCACertificates([...trusted, tls.cert]);
    }
  });

  it('is not written where its signal aborts before the connection is secure', async () => {
    const controller = new AbortController();
    // It never answers the first message of the handshake.
    const { url, connections } = await serveRaw(() => controller.abort(timeout()));
    let asked = 0;
    const deadline = new DispatchDeadline(() => {
      asked++;
      return false;
    });
    const request = post(url.replace('http:', 'https:'), { signal: controller.signal }, deadline);
    await expect(request).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect.poll(() => connections.ends).toEqual(['ECONNRESET']);
    expect(asked).toBe(0);
  });
});

it.each([
  ['an odd status', 'HTTP/1.1 999 Request denied\r\ncontent-length: 2\r\n\r\nno'],
  ['an odd reason', 'HTTP/1.1 200 O\x01K\r\ncontent-length: 2\r\n\r\nno'],
  ['no HTTP', 'SMTP ready\r\n\r\n'],
])('an answer with %s fails the request, and nothing else', async (_, answer) => {
  const { url, received } = await serveRaw((_data, socket) => socket.write(answer));
  const deadline = ahead();
  await expect(post(url, {}, deadline)).rejects.toThrow(TypeError);
  expect(received.join('')).toContain('{"qty":"5"}');
  expect(deadline.nothingSent).toBe(false);
});

it('an address that is not HTTP is not dispatched to', async () => {
  expect(await causeOf(post('ftp://127.0.0.1/'))).toMatchObject({ message: 'ftp: is not HTTP' });
});
