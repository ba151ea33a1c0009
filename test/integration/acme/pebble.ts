import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { freePort } from '../../free-port.ts';
import { goBinary } from '../../go-binary.ts';

const VERSION = 'v2.10.3';
const BUILD_LIMIT_MS = 10 * 60_000;
const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
/** Pebble's own https server; nothing that it issues is signed with it. */
const CERTIFICATE = fixture('loopback-cert.pem');

const program = (file: string) =>
  goBinary({
    name: `pebble-${VERSION}`,
    module: `github.com/letsencrypt/pebble/v2/cmd/${file}@${VERSION}`,
    file,
    takes: 'half a minute',
    limitMs: BUILD_LIMIT_MS,
  });

const authority = await program('pebble');
const names = await program('pebble-challtestsrv');
/** Why there is no authority on this machine, or undefined. */
export const missing = [authority, names].flatMap((found) => ('missing' in found ? [found.missing] : [])).at(0);
if (missing !== undefined) process.stderr.write(`No certificate is ordered: ${missing}.\n`);

/** Like `fetch`, but trusts one authority, and takes every name for loopback. @param at the port in place of the URL's */
export function fetchTrusting(ca: string, at?: number): typeof fetch {
  return async (input, init) => {
    const url = new URL(String(input));
    const { signal, ...asked } = init ?? {};
    const { method, headers, body } = new Request(url, asked);
    const bytes = body === null ? undefined : await buffer(body as import('node:stream/web').ReadableStream);
    const sent = request({
      ...{
        host: '127.0.0.1',
        port: at ?? url.port,
        path: url.pathname + url.search,
        servername: url.hostname,
        ca,
        method,
      },
      headers: { host: url.host, 'user-agent': 'test', ...Object.fromEntries(headers) },
      ...(signal ? { signal } : {}),
    });
    sent.end(bytes);
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    const data = await buffer(response);
    const given = Object.entries(response.headers).flatMap(([name, value]) =>
      [value ?? ''].flat().map((one): [string, string] => [name, one]),
    );
    return new Response(method === 'HEAD' || data.length === 0 ? null : new Uint8Array(data), {
      status: response.statusCode ?? 500,
      headers: given,
    });
  };
}

/**
 * Let's Encrypt's test authority, with name servers of its own.
 * @param validityPeriod seconds for which its certificates are valid
 */
export async function startPebble(validityPeriod = 90 * 86_400) {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-pebble-'));
  const [port, management, dns, control, httpPort, tlsPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    ...{ certificate: CERTIFICATE, privateKey: fixture('loopback-key.pem'), httpPort, tlsPort },
    ...{ ocspResponderURL: '', externalAccountBindingRequired: false, keyAlgorithm: 'ecdsa' },
    domainBlocklist: ['refused.example'],
    retryAfter: { authz: 1, order: 1 },
    profiles: { default: { description: 'usual', validityPeriod } },
  };
  const file = join(folder, 'pebble.json');
  writeFileSync(file, JSON.stringify({ pebble: config }));
  const run = (binary: string, args: string[]) =>
    spawn(binary, args, {
      stdio: 'ignore',
      // A used nonce now and then, as in production; no wait before a check.
      env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '10', PEBBLE_AUTHZREUSE: '0' },
    });
  const binaryOf = (found: typeof authority) => ('binary' in found ? found.binary : '');
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-doh', ''];
  const resolver = run(binaryOf(names), [
    ...['-dnsserver', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${control}`, '-defaultIPv6', ''],
    ...off,
  ]);
  const send = fetchTrusting(readFileSync(CERTIFICATE, 'utf8'));
  const directory = `https://localhost:${port}/dir`;
  let server: ChildProcess | undefined;
  const pebble = {
    ...{ directory, httpPort, tlsPort, fetch: send as typeof fetch },
    /** The file with what its own https server is trusted by. */
    ca: CERTIFICATE,
    terms: 'data:text/plain,Do%20what%20thou%20wilt',
    async start() {
      server = run(binaryOf(authority), ['-config', file, '-dnsserver', `127.0.0.1:${dns}`]);
      await vi.waitFor(async () => expect((await send(directory)).status).toBe(200), { timeout: 20_000 });
    },
    /** Ends the authority. It forgets its accounts, and its next start has another root. */
    async stop() {
      if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    },
    /** The root of what it issues. */
    root: async () => (await send(`https://localhost:${management}/roots/0`)).text(),
    async deactivate({ key = '', url }: { key?: string; url?: string | undefined } = {}) {
      const { default: acme } = await import('acme-client');
      acme.axios.defaults.adapter = async (config) => {
        const { method, data: body, headers } = config;
        const answer = await send(config.url ?? '', {
          method: method?.toUpperCase() ?? 'GET',
          body,
          headers: { ...headers } as Record<string, string>,
        });
        const data = await answer.text();
        return { data, status: answer.status, statusText: '', headers: Object.fromEntries(answer.headers), config };
      };
      const client = new acme.Client({ directoryUrl: directory, accountKey: key, accountUrl: url ?? '' });
      await client.updateAccount({ status: 'deactivated' } as Parameters<typeof client.updateAccount>[0]);
    },
    /** Tells the name servers something: `add-a`, `set-default-ipv4`. */
    async tell(what: string, body: object) {
      const answer = await fetch(`http://127.0.0.1:${control}/${what}`, { method: 'POST', body: JSON.stringify(body) });
      expect(answer.status).toBe(200);
    },
    async close() {
      await pebble.stop();
      const ended = once(resolver, 'exit');
      resolver.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await vi.waitFor(() => pebble.tell('set-default-ipv4', { ip: '127.0.0.1' }), { timeout: 20_000 });
  await pebble.start();
  return pebble;
}
