import { afterEach, expect, it } from 'vitest';
import { serveTelemetry } from '../../../src/app/gateway/served-telemetry.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createHostCheck } from '../../../src/net/host-check.ts';
import { type HttpServer, listenOnLoopback, NON_PAGE_CSP } from '../../../src/net/http-server.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});
const server = async (): Promise<HttpServer> => {
  const made = await listenOnLoopback(0, Date.now);
  open.push(() => made.close());
  return made;
};
const securityOf = async (url: string, init?: RequestInit) => {
  const { status, headers } = await fetch(url, init);
  return [
    status,
    headers.get('content-security-policy'),
    headers.get('referrer-policy'),
    headers.get('x-content-type-options'),
  ];
};

it('each answer says that it is no page, before anything is served too', async () => {
  const { url } = await server();
  expect(await securityOf(url)).toEqual([503, NON_PAGE_CSP, 'no-referrer', 'nosniff']);
});

it('so does what a handler says nothing of, and a refusal of its host', async () => {
  const made = await server();
  const isForUs = createHostCheck(['https://home.example']);
  made.serve((request, response) => {
    if (request.url === '/host' && !isForUs(request, response)) return;
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
  });
  expect(await securityOf(made.url)).toEqual([404, NON_PAGE_CSP, 'no-referrer', 'nosniff']);
  expect(await securityOf(`${made.url}/host`)).toEqual([421, NON_PAGE_CSP, 'no-referrer', 'nosniff']);
});

it('a page’s own policy takes its place', async () => {
  const made = await server();
  made.serve((_, response) => response.writeHead(200, { 'content-security-policy': "default-src 'self'" }).end());
  expect(await securityOf(made.url)).toEqual([200, "default-src 'self'", 'no-referrer', 'nosniff']);
});

it('so do the metrics', async () => {
  const served = await serveTelemetry({ metrics_port: 0 }, systemClock);
  open.push(() => served.close());
  for (const path of ['/metrics', '/nothing'])
    expect((await securityOf(new URL(path, served.url).href)).slice(1)).toEqual([
      ...[NON_PAGE_CSP, 'no-referrer', 'nosniff'],
    ]);
});
