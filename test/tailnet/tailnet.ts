import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { request as connectThrough, type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { expect, vi } from 'vitest';
import { freePort } from '../free-port.ts';
import { goBinary } from '../go-binary.ts';

const TAILSCALE_VERSION = 'v1.102.5';
const HEADSCALE_VERSION = 'v0.26.1';
const BUILD_LIMIT_MS = 90 * 60_000;
const READY = { timeout: 60_000 };
/** The control server's and its relay's own certificate. */
const CERTIFICATE = new URL('../fixtures/tls/loopback-cert.pem', import.meta.url).pathname;
const CERTIFICATE_KEY = new URL('../fixtures/tls/loopback-key.pem', import.meta.url).pathname;

/** Clouds, devices and servers that no test has: without them, building takes half of the time. */
const OMITTED = [
  'aws',
  'kube',
  'systray',
  'webclient',
  'drive',
  'tpm',
  'portmapper',
  'captiveportal',
  'identityfederation',
  'flashappliance',
];

const toTags = (omitted: readonly string[]) => omitted.map((feature) => `ts_omit_${feature}`);

const tailscaleProgram = (file: string, omitted = [...OMITTED, 'ssh']) =>
  goBinary({
    name: `tailscale-${TAILSCALE_VERSION}`,
    module: `tailscale.com/cmd/${file}@${TAILSCALE_VERSION}`,
    file,
    tags: toTags(omitted),
    takes: 'ten minutes',
    limitMs: BUILD_LIMIT_MS,
  });

/** Tailscale's own programs, its control server for tests, and the one that anyone can run. */
const programs = {
  tailscale: () => tailscaleProgram('tailscale'),
  tailscaled: () => tailscaleProgram('tailscaled'),
  testcontrol: () => tailscaleProgram('testcontrol', OMITTED),
  headscale: () =>
    goBinary({
      name: `headscale-${HEADSCALE_VERSION}`,
      module: `github.com/juanfont/headscale/cmd/headscale@${HEADSCALE_VERSION}`,
      // The proxy lists no versions of it.
      replaces: [],
      tags: toTags(OMITTED),
      file: 'headscale',
      takes: 'ten minutes',
      limitMs: BUILD_LIMIT_MS,
    }),
};
type ProgramName = keyof typeof programs;

const found = new Map<ProgramName, string>();
const binary = (name: ProgramName): string => found.get(name) ?? '';

/** Builds the programs. Returns the reason why this machine has no network of this control server, or undefined. */
export async function findMissing(control: 'headscale' | 'testcontrol'): Promise<string | undefined> {
  for (const name of ['tailscale', 'tailscaled', control] as const) {
    const built = await programs[name]();
    if ('missing' in built) {
      process.stderr.write(`No network of ${control} is tested: ${built.missing}.\n`);
      return built.missing;
    }
    found.set(name, built.binary);
  }
  return undefined;
}

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Output> {
  return new Promise((resolve) => {
    execFile(program, [...args], { env, timeout: 60_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

const servers = new Set<() => Promise<void>>();

/** Ends all servers, those that did not become ready among them. */
export async function endServers(): Promise<void> {
  for (const end of [...servers].reverse()) await end();
}

/** Starts a server. Returns a function that ends it. */
function startServer(program: string, args: readonly string[], env: NodeJS.ProcessEnv): () => Promise<void> {
  const child: ChildProcess = spawn(program, [...args], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const end = async () => {
    child.kill('SIGTERM');
    await ended;
    servers.delete(end);
  };
  servers.add(end);
  return end;
}

/** A control server that machines join. */
export interface Network {
  readonly url: string;
  readonly key?: string;
}

/** Starts Tailscale's control server for tests, which has a port of its own. */
export async function startTestControl(): Promise<Network> {
  const url = 'http://127.0.0.1:9911';
  startServer(binary('testcontrol'), [], { PATH: process.env.PATH });
  await vi.waitFor(async () => expect((await fetch(`${url}/generate_204`)).status).toBe(204), READY);
  return { url };
}

/**
 * Starts Headscale with SQLite and its own relay, which all traffic passes.
 * @param domain what the machines' names end in
 */
export async function startHeadscale(folder: string, domain: string): Promise<Network> {
  const [port, stunPort, metricsPort, grpcPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const url = `https://127.0.0.1:${port}`;
  const config = join(folder, 'headscale.yaml');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(
    config,
    JSON.stringify({
      server_url: url,
      listen_addr: `127.0.0.1:${port}`,
      metrics_listen_addr: `127.0.0.1:${metricsPort}`,
      grpc_listen_addr: `127.0.0.1:${grpcPort}`,
      tls_cert_path: CERTIFICATE,
      tls_key_path: CERTIFICATE_KEY,
      unix_socket: join(folder, 'headscale.sock'),
      noise: { private_key_path: join(folder, 'noise.key') },
      prefixes: { v4: '100.64.0.0/10', v6: 'fd7a:115c:a1e0::/48', allocation: 'sequential' },
      database: { type: 'sqlite', sqlite: { path: join(folder, 'headscale.db') } },
      dns: { magic_dns: true, base_domain: domain, override_local_dns: false, nameservers: { global: [] } },
      derp: {
        server: {
          enabled: true,
          region_id: 999,
          region_code: 'loopback',
          region_name: 'Loopback',
          stun_listen_addr: `127.0.0.1:${stunPort}`,
          private_key_path: join(folder, 'derp.key'),
          automatically_add_embedded_derp_region: true,
          ipv4: '127.0.0.1',
        },
        urls: [],
        paths: [],
        auto_update_enabled: false,
      },
      disable_check_updates: true,
      logtail: { enabled: false },
      log: { level: 'warn' },
      policy: { mode: 'database' },
    }),
  );
  const env = { PATH: process.env.PATH, HOME: folder };
  startServer(binary('headscale'), ['serve', '-c', config], env);
  const administer = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(binary('headscale'), ['-c', config, '-o', 'json', ...args], env);
    if (code !== 0) throw new Error(`headscale ${args.join(' ')}: ${stdout}${stderr}`);
    return JSON.parse(stdout) as { readonly id: string; readonly key: string };
  };
  await vi.waitFor(() => administer('users', 'list'), READY);
  const { id } = await administer('users', 'create', 'ada');
  const { key } = await administer('preauthkeys', 'create', '--user', id, '--reusable', '--expiration', '1h');
  return { url, key };
}

export type Machine = Awaited<ReturnType<typeof startMachine>>;

/** Starts a machine that belongs to no network yet. It has no interface of its own: its service has the network within. */
export async function startMachine(folder: string) {
  const tools = join(folder, 'bin');
  const socket = join(folder, 'tailscaled.sock');
  mkdirSync(tools, { recursive: true });
  // Each machine's program speaks with its own service.
  const program = join(tools, 'tailscale');
  const proxyPort = await freePort();
  writeFileSync(program, `#!/bin/sh\nexec '${binary('tailscale')}' '--socket=${socket}' "$@"\n`);
  chmodSync(program, 0o755);
  const env = { PATH: process.env.PATH, HOME: folder, SSL_CERT_FILE: CERTIFICATE };
  const tailscale = (...args: string[]) => run(program, args, env);
  const end = startServer(
    binary('tailscaled'),
    [
      '--tun=userspace-networking',
      `--socket=${socket}`,
      `--statedir=${join(folder, 'state')}`,
      '--no-logs-no-support',
      '--port=0',
      `--outbound-http-proxy-listen=127.0.0.1:${proxyPort}`,
    ],
    // Through the relay alone, which is on loopback.
    { ...env, TS_DEBUG_ALWAYS_USE_DERP: 'true' },
  );
  const readStatus = async () => {
    const { stdout } = await tailscale('status', '--json', '--peers=false');
    return stdout === '' ? undefined : (JSON.parse(stdout) as { BackendState: string });
  };
  await vi.waitFor(async () => expect((await readStatus())?.BackendState).toBe('NeedsLogin'), READY);
  return {
    tools,
    program,
    tailscale,
    end,
    join: async ({ url, key }: Network, name: string) => {
      const args = [`--login-server=${url}`, `--hostname=${name}`, ...(key === undefined ? [] : [`--auth-key=${key}`])];
      const { code, stderr } = await tailscale('up', ...args, '--timeout=60s');
      if (code !== 0) throw new Error(`tailscale up: ${stderr}`);
    },
    /** Asks another machine of the network by https. */
    get: async (url: string, ca: Buffer): Promise<{ status: number | undefined; body: string }> => {
      const { hostname } = new URL(url);
      const tunnel = connectThrough({ host: '127.0.0.1', port: proxyPort, method: 'CONNECT', path: `${hostname}:443` });
      const [{ statusCode }, plain] = (await once(tunnel.end(), 'connect')) as [IncomingMessage, Socket];
      expect(statusCode).toBe(200);
      const socket = connectTls({ socket: plain, servername: hostname, ca });
      const asked = request(url, { defaultPort: 443, createConnection: () => socket }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      const body = await text(response);
      socket.destroy();
      return { status: response.statusCode, body };
    },
  };
}
