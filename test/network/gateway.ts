import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolderKeys } from '../../src/app/gateway/gateway-keys.ts';
import { compiledCode } from '../e2e/world.ts';
import { until } from './until.ts';

const launcher = new URL('./gateway-launcher.mjs', import.meta.url).pathname;

/** What `gateway-launcher.mjs` logs. Times are milliseconds since the epoch. */
export interface WireEvent {
  readonly at: number;
  readonly pid: number;
  readonly event: 'write' | 'written' | 'closed' | 'ran' | 'stopping' | 'continued';
  readonly line?: string;
  readonly port?: number;
}

/** What the launcher does once; see there. */
export type WireOrder =
  | { readonly on: 'write'; readonly run: readonly string[] }
  | { readonly on: 'write' | 'connected'; readonly stop: true };

export interface GatewaySetup {
  readonly folder: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly brokerPort: number;
  /** Additional variables of the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starting on a busy machine. */
const START_MS = 60_000;
const END_MS = 30_000;

export type GatewayProcess = ReturnType<typeof gatewayProcess>;

export function gatewayProcess({ folder, settings, brokerPort, env }: GatewaySetup) {
  const files = {
    log: join(folder, 'wire.log'),
    orders: join(folder, 'wire-orders.json'),
    failpoint: join(folder, 'failpoint'),
    ready: join(folder, 'ready.json'),
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, 'gateway.yaml'), JSON.stringify(settings));
  writeFileSync(files.log, '');
  writeFileSync(files.failpoint, '');
  let child: ChildProcess | undefined;
  let port: number | undefined;
  let said = '';
  let isStopped = false;
  const running = (): ChildProcess => {
    if (child === undefined) throw new Error('the gateway is not running');
    return child;
  };
  return {
    folder,
    port: () => (isStopped ? undefined : port),
    pid: () => running().pid ?? 0,
    async start() {
      rmSync(files.ready, { force: true });
      const started = spawn(
        process.execPath,
        [launcher, 'gateway', '--home', folder, '--port', '0', '--ready-file', files.ready],
        {
          env: {
            ...{ PATH: process.env.PATH, HOME: folder, TRADE_AGENT_HOME: join(folder, 'agent') },
            XDG_CACHE_HOME: compiledCode('dist-failpoints'),
            TRADE_AGENT_FAILPOINT: `@${files.failpoint}`,
            NETWORK_LOG: files.log,
            NETWORK_ORDERS: files.orders,
            NETWORK_BROKER_PORT: String(brokerPort),
            ...env,
          },
          stdio: ['ignore', 'pipe', 'pipe'],
          // A session of its own: once the shell that started the tests exits, the kernel continues all that is stopped in its group.
          detached: true,
        },
      );
      child = started;
      for (const stream of [started.stdout, started.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          said += chunk.toString('utf8');
        });
      }
      await until(`the gateway's start (it said: ${said})`, START_MS, () => {
        if (started.exitCode !== null) throw new Error('it ended');
        return existsSync(files.ready);
      });
      port = Number(new URL(JSON.parse(readFileSync(files.ready, 'utf8')).url).port);
    },
    async kill() {
      const killed = running();
      const ended = once(killed, 'exit');
      port = undefined;
      killed.kill('SIGKILL');
      await ended;
      child = undefined;
    },
    stop() {
      isStopped = true;
      running().kill('SIGSTOP');
    },
    continue() {
      isStopped = false;
      running().kill('SIGCONT');
    },
    async end() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      const timer = setTimeout(() => child?.kill('SIGKILL'), END_MS);
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
      child = undefined;
      port = undefined;
    },
    /** Has it act at its next request to the broker. */
    order: (order: WireOrder) => writeFileSync(files.orders, JSON.stringify(order)),
    failpoint: (text: string) => writeFileSync(files.failpoint, text),
    wire: (): WireEvent[] =>
      readFileSync(files.log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as WireEvent),
    said: () => said,
  };
}

/** The public half of a new key in the gateway's folder. */
export async function makeGatewayKey(folder: string): Promise<Record<string, string>> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { jwk } = await createFolderKeys(folder).make('EC');
  return jwk;
}
