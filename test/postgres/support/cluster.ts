import { execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Cluster = Awaited<ReturnType<typeof startCluster>>;

export const SUPERUSER = 'tester';

/** Where PostgreSQL's own programs are: on the PATH, or where Debian has them, the newest first. */
export function postgresPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

export interface ClusterOptions {
  /** Whether it waits for the disk, as one whose power is cut must. */
  readonly durable?: boolean;
  /** Besides, as postgresql.conf has them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Fills its data folder, which is empty and belongs to whom the server runs as, instead of `initdb`. */
  readonly fill?: (data: string, runAs: object) => Promise<void>;
}

/** A server of its own for the tests, listening only on a socket in its folder. */
export async function startCluster(programs: string, options: ClusterOptions = {}) {
  const { durable = false } = options;
  // Short: a socket's path has some hundred characters.
  const folder = mkdtempSync(join(tmpdir(), 'ta-pg-'));
  const user = unprivileged();
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const settings = {
    listen_addresses: '',
    unix_socket_directories: folder,
    // Of several test files at once, each with connections of its own for everything.
    max_connections: '500',
    shared_buffers: '32MB',
    fsync: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    log_min_messages: 'fatal',
    ...options.settings,
  };
  const environment = { PATH: programs, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  let server: { readonly ended: Promise<unknown>; kill(signal: NodeJS.Signals): void } | undefined;

  const start = async () => {
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(programs, 'postgres'), ['-D', data, ...flags], {
      ...user,
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => {
      log = `${log}${chunk}`.slice(-4000);
    });
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
    });
    server = { ended, kill: (signal) => void child.kill(signal) };
    // It says so in its own file when it takes connections (PostgreSQL manual §73.1).
    while (!/^ready\s*$/m.test(readOrEmpty(join(data, 'postmaster.pid')))) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL did not start: ${log}`);
      await sleep(10);
    }
  };
  const stop = async (mode: 'fast' | 'immediate') => {
    server?.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await server?.ended;
    server = undefined;
  };
  const remove = async () => {
    process.off('exit', killed);
    await stop('immediate');
    rmSync(folder, { recursive: true, force: true });
  };
  const killed = () => {
    server?.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.on('exit', killed);
  try {
    const flags = ['--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', '-U', SUPERUSER];
    if (options.fill !== undefined) await options.fill(data, { ...user, cwd: folder, env: environment });
    else await run(join(programs, 'initdb'), ['-D', data, ...flags], { ...user, cwd: folder, env: environment });
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    host: folder,
    address: (login: string, database: string) => socketAddress(folder, login, database),
    /** `immediate` is as a power cut: it recovers from its log when it is started again. */
    stop,
    start,
    remove,
  };
}

export function socketAddress(host: string, user: string, database: string): string {
  return `postgresql:///${database}?${new URLSearchParams({ host, user })}`;
}

/** PostgreSQL does not run as root: as Debian's user for it then, or as nobody. */
export function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const named = (name: string) => users.find((line) => line.startsWith(`${name}:`))?.split(':');
  const [, , uid, gid] = named('postgres') ?? named('nobody') ?? [];
  if (uid === undefined || gid === undefined) throw new Error('there is no user that PostgreSQL could run as');
  return { uid: Number(uid), gid: Number(gid) };
}

function readOrEmpty(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
