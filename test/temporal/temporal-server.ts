import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.ts';

export type TemporalServer = Awaited<ReturnType<typeof startTemporal>>;

const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;
export const NAMESPACE = 'trade-agent';
const START_MS = 60_000;

/** What of Temporal's client is used here. @see https://typescript.temporal.io/api/classes/client.Connection */
interface Client {
  readonly workflowService: {
    registerNamespace(request: object): Promise<unknown>;
    describeNamespace(request: object): Promise<unknown>;
    listWorkflowExecutions(request: object): Promise<{
      readonly executions: readonly { readonly execution: { readonly workflowId: string } }[];
    }>;
  };
  close(): Promise<void>;
}

/** Starts it on loopback with all it keeps in one SQLite file, and a namespace. */
export async function startTemporal(binary: string) {
  const folder = mkdtempSync(join(tmpdir(), 'ta-temporal-'));
  const file = join(folder, 'temporal.db');
  const ports = new Map<string, readonly [number, number]>();
  for (const service of SERVICES) ports.set(service, [await freePort(), await freePort()]);
  const address = `127.0.0.1:${ports.get('frontend')?.[0]}`;
  const sql = {
    sql: {
      ...{ pluginName: 'sqlite', databaseName: file, connectAddr: 'localhost', connectProtocol: 'tcp' },
      connectAttributes: { cache: 'private', setup: 'true', journal_mode: 'wal', synchronous: '1' },
      ...{ maxConns: 1, maxIdleConns: 1, maxConnLifetime: '1h' },
    },
  };
  const settings = {
    log: { stdout: true, level: 'error' },
    persistence: {
      ...{ defaultStore: 'all', visibilityStore: 'all', numHistoryShards: 4 },
      datastores: { all: sql },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: Object.fromEntries(
      [...ports].map(([service, [grpcPort, membershipPort]]) => [
        service,
        { rpc: { grpcPort, membershipPort, bindOnLocalHost: true } },
      ]),
    ),
    clusterMetadata: {
      ...{ enableGlobalNamespace: false, failoverVersionIncrement: 10 },
      ...{ masterClusterName: 'active', currentClusterName: 'active' },
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: address },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: join(folder, 'dynamic.yaml'), pollInterval: '10s' },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'settings.yaml'), JSON.stringify(settings));
  const dynamic = { 'system.namespaceCacheRefreshInterval': [{ value: '1s' }] };
  writeFileSync(join(folder, 'dynamic.yaml'), JSON.stringify(dynamic));

  let server: { readonly ended: Promise<void>; kill(): void } | undefined;
  let client: Client | undefined;
  const start = async () => {
    const child = spawn(binary, ['--config-file', join(folder, 'settings.yaml'), '--allow-no-auth', 'start'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
      cwd: folder,
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        log = `${log}${chunk}`.slice(-4000);
      });
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
    });
    server = { ended, kill: () => void child.kill('SIGKILL') };
    const until = Date.now() + START_MS;
    for (;;) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`Temporal does not serve: ${log}`);
      try {
        client ??= await connect(address);
        await withNamespace(client);
        return;
      } catch {
        await client?.close().catch(() => undefined);
        client = undefined;
      }
      await sleep(100);
    }
  };
  const kill = async () => {
    await client?.close();
    client = undefined;
    server?.kill();
    await server?.ended;
    server = undefined;
  };
  const list = async (query: string) => {
    const found = await client?.workflowService.listWorkflowExecutions({ namespace: NAMESPACE, query });
    return (found?.executions ?? []).map(({ execution }) => execution.workflowId);
  };
  const dying = () => server?.kill();
  process.on('exit', dying);
  await start();
  return {
    address,
    kill,
    start,
    /** Forgets all that it has; it must not run. */
    forget(): void {
      for (const name of ['', '-wal', '-shm']) rmSync(`${file}${name}`, { force: true });
    },
    /** Ids of a tenant's open workflows. */
    open: async (tenant: string) =>
      (await list("ExecutionStatus = 'Running'")).filter((id) => id.startsWith(`trade-agent/${tenant}/`)),
    executions: async (workflow: string) => (await list(`WorkflowId = '${workflow}'`)).length,
    /** All that it has on disk. */
    bytes: async () => ['', '-wal'].map((name) => readFileSync(`${file}${name}`, 'latin1')).join(''),
    async remove(): Promise<void> {
      process.off('exit', dying);
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The libraries are those that the program itself finds. */
async function connect(address: string): Promise<Client> {
  const here = createRequire(import.meta.url);
  const { Connection } = createRequire(here.resolve('@temporalio/worker'))('@temporalio/client') as {
    Connection: { connect(options: object): Promise<Client> };
  };
  return await Connection.connect({ address, connectTimeout: 1_000 });
}

async function withNamespace({ workflowService }: Client): Promise<void> {
  const day = { seconds: 86_400 };
  await workflowService
    .describeNamespace({ namespace: NAMESPACE })
    .catch(() => workflowService.registerNamespace({ namespace: NAMESPACE, workflowExecutionRetentionPeriod: day }));
  // It is known to all parts of the server a moment later.
  await workflowService.listWorkflowExecutions({ namespace: NAMESPACE, query: '' });
}
