import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPhoneClient } from '../../src/home/phone/phone-client.ts';
import { readReadyFile, type SandboxReadyInfo } from '../../src/sandbox/ready-file.ts';

export const launcher = new URL('../../bin/trade-agent.js', import.meta.url).pathname;

/** The shared `XDG_CACHE_HOME` of every world, one a build, so that V8's compiled code is kept. */
export const compiledCode = (build: 'dist' | 'dist-failpoints'): string =>
  new URL(`../../test-results/compiled/${build}`, import.meta.url).pathname;

/** Nothing a test does takes this long; a hang is reported with what the command had said until then. */
const LIMIT_MS = 40_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Everything it has printed so far on both streams. */
  readonly output: () => string;
  /** Resolves with the first match in its output. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  readonly finished: Promise<Finished>;
}

/** One user's machine: an agent's home and a sandbox, both thrown away at the end. */
export interface World {
  readonly folder: string;
  readonly agentHome: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ready: SandboxReadyInfo;
  readonly phone: ReturnType<typeof createPhoneClient>;
  readonly seed: {
    users: { username: string; broker_password: string; broker_key: { key_id: string; secret: string } }[];
    admin_secret: string;
  };
  cli(args: readonly string[], options?: CommandOptions): Promise<Finished>;
  start(args: readonly string[], options?: CommandOptions): Running;
  /** Signs in by the device flow, confirmed on the terminal phone. */
  login(user?: string): Promise<void>;
  /** Every order the paper broker ever took, as its own book says. */
  book(): Promise<BookedOrder[]>;
  fault(name: string, times?: number): Promise<void>;
  clearFaults(): Promise<void>;
  setPrice(symbol: string, price: string): Promise<void>;
  /** Ends identity provider, gateway and broker at once, as a power cut would. */
  killSandbox(): Promise<void>;
  /** Starts them again on the same folder and ports. @param program another build's launcher */
  restartSandbox(program?: string): Promise<void>;
  close(): Promise<void>;
}

export interface BookedOrder {
  readonly client_order_id: string;
  readonly symbol: string;
  readonly status: string;
  readonly qty: string;
  /** Dollars, of an order by amount. */
  readonly notional?: string | null;
  readonly side: string;
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Written to standard input, which is then closed; absent: no standard input. */
  readonly input?: string;
  readonly cwd?: string;
  readonly program?: string;
  /** A server, which runs until it is told to end. */
  readonly endless?: boolean;
}

/** Starts the built program with a bare environment, so that nothing of the machine's own leaks into a test. */
export function startCommand(args: readonly string[], options: CommandOptions & { env: NodeJS.ProcessEnv }): Running {
  const child = spawn(process.execPath, [options.program ?? launcher, ...args], {
    env: { PATH: process.env.PATH, XDG_CACHE_HOME: compiledCode('dist'), ...options.env },
    cwd: options.cwd,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(options.input);
  let stdout = '';
  let stderr = '';
  let all = '';
  const listeners = new Set<() => void>();
  const collect = (stream: NodeJS.ReadableStream | null, add: (text: string) => void) =>
    stream?.on('data', (chunk: Buffer) => {
      add(chunk.toString('utf8'));
      all += chunk.toString('utf8');
      for (const listener of listeners) listener();
    });
  collect(child.stdout, (text) => {
    stdout += text;
  });
  collect(child.stderr, (text) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    const timer =
      options.endless === true
        ? undefined
        : setTimeout(() => {
            child.kill('SIGKILL');
            reject(new Error(`"trade-agent ${args.join(' ')}" did not end; it said:\n${all}`));
          }, LIMIT_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
  finished.catch(() => undefined);
  return {
    child,
    output: () => all,
    finished,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const match = pattern.exec(all);
          if (match === null) return;
          listeners.delete(check);
          resolve(match);
        };
        listeners.add(check);
        check();
        finished.then(({ code }) => {
          check();
          reject(new Error(`ended with ${code} before ${pattern}; it said:\n${all}`));
        }, reject);
      }),
  };
}

/** @param options.env for all its processes, the sandbox among them */
export async function createWorld(
  options: { sandboxArgs?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-e2e-'));
  const agentHome = join(folder, 'agent');
  const readyFile = join(folder, 'ready.json');
  const env = {
    ...{ HOME: folder, TRADE_AGENT_HOME: agentHome, TRADE_AGENT_SANDBOX: readyFile },
    ...options.env,
  };
  const startSandbox = (port: readonly string[], program?: string): Running => {
    const started = startCommand(
      [
        ...['sandbox', '--home', join(folder, 'sandbox'), '--ready-file', readyFile, ...port],
        // Some tests wait for a whole fill; a second half that comes later has tests of its own.
        '--no-partial-fills',
        ...(options.sandboxArgs ?? []),
      ],
      { env, endless: true, ...(program === undefined ? {} : { program }) },
    );
    started.finished.catch(() => undefined);
    return started;
  };
  let sandbox = startSandbox(['--port', '0']);
  const ready = await waitForReady(readyFile, sandbox);
  const seed = JSON.parse(readFileSync(join(ready.home, 'seed.json'), 'utf8'));
  const phone = createPhoneClient({
    phone: ready.phone,
    pairingSecret: readFileSync(join(ready.home, 'pairing-secret'), 'utf8').trim(),
  });
  const admin = async <T>(base: string, method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${seed.admin_secret}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : response.json()) as Promise<T>;
  };
  const start: World['start'] = (args, command = {}) =>
    startCommand(args, { ...command, env: { ...env, ...command.env } });
  return {
    folder,
    agentHome,
    env: { PATH: process.env.PATH, ...env },
    ready,
    phone,
    seed,
    start,
    cli: (args, command) => start(args, command).finished,
    async login(user = 'alice') {
      const login = start(['login']);
      const [code] = await login.waitFor(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
      await phone.completeDevice(user, code);
      const { code: exit, stderr } = await login.finished;
      if (exit !== 0) throw new Error(`login ended with ${exit}: ${stderr}`);
    },
    book: async () => (await admin<{ orders: BookedOrder[] }>(ready.broker, 'GET', '/admin/book')).orders,
    fault: (name, times = 1) => admin(ready.issuer, 'POST', '/admin/faults', { name, times }),
    clearFaults: () => admin(ready.issuer, 'DELETE', '/admin/faults'),
    setPrice: (symbol, price) => admin(ready.broker, 'PUT', `/admin/prices/${symbol}`, { price }),
    async killSandbox() {
      sandbox.child.kill('SIGKILL');
      await sandbox.finished;
    },
    async restartSandbox(program) {
      // Free ports are not remembered by themselves; tokens name these.
      const [issuer, broker] = [ready.issuer, ready.broker].map((url) => Number(new URL(url).port));
      writeFileSync(join(ready.home, 'ports.json'), JSON.stringify({ issuer, broker }), { mode: 0o600 });
      sandbox = startSandbox([], program);
      await waitForReady(readyFile, sandbox);
    },
    async close() {
      sandbox.child.kill('SIGTERM');
      await sandbox.finished.catch(() => undefined);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function waitForReady(file: string, sandbox: Running): Promise<SandboxReadyInfo> {
  let ended: Finished | undefined;
  sandbox.finished.then((result) => {
    ended = result;
  });
  for (;;) {
    const ready = readReadyFile(file);
    // One killed hard leaves its own behind.
    if (ready !== undefined && ready.pid === sandbox.child.pid) return ready;
    if (ended !== undefined) throw new Error(`the sandbox ended with ${ended.code}:\n${sandbox.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
