import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TradeAgentError } from '../errors/errors.ts';
import { createPhoneClient, type PhoneClient } from '../home/phone/phone-client.ts';
import { systemClock } from '../machine/clock.ts';
import { readReadyFile, type SandboxReadyInfo } from '../sandbox/ready-file.ts';
import type { App } from './app.ts';
import { launcherPath } from './launcher.ts';
import { buildChildEnvironment } from './sandbox-connection.ts';

const USER = 'alice';
const ORDER = 'buy 5 AAPL';

/** The demo's scenes, in order. The last scene, `chat`, is played only if a person takes part. */
export type DemoScene =
  | 'opening'
  | 'sign_in'
  | 'portfolio'
  | 'order'
  | 'hang_up'
  | 'nobody_there'
  | 'phone'
  | 'told'
  | 'record'
  | 'chat';

export type DemoEvent =
  | { readonly type: 'scene'; readonly scene: DemoScene }
  /** Environment variables that let another terminal join the demo. */
  | { readonly type: 'join'; readonly env: Readonly<Record<string, string>> }
  | PlayedLine
  | { readonly type: 'record'; readonly entry: Readonly<Record<string, unknown>> };

/**
 * Asks the person for approval, on the phone page or in the terminal.
 * @param page a one-time link that sets up a browser as the phone
 * @param tapped resolves when the person has decided on the phone page
 */
export type AskForApproval = (page: {
  readonly url: string;
  readonly user: string;
  readonly tapped: Promise<void>;
}) => Promise<'tapped' | 'here'>;

/**
 * Plays the whole flow with the commands that a person would type, each in its own process, on a temporary sandbox.
 * SIGHUP ends the process that proposed the order before the order is approved. The order is still executed.
 * @param options.person asks the person to approve the order, and ends the demo with the chat; if undefined, the demo
 *   runs unattended
 * @returns the gateway's audit log
 * @throws {TradeAgentError} `timeout`, `provider_unreachable`, `internal` if a step fails; the signal's reason
 */
export async function playDemo(
  app: Pick<App, 'env' | 'signal'>,
  options: {
    readonly show: (event: DemoEvent) => void;
    readonly person:
      | { readonly approve: AskForApproval; readonly chat: (env: NodeJS.ProcessEnv) => Promise<void> }
      | undefined;
  },
) {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-demo-'));
  const readyFile = join(folder, 'ready.json');
  const { env, signal } = app;
  const its = { TRADE_AGENT_HOME: join(folder, 'agent'), TRADE_AGENT_SANDBOX: readyFile };
  const childEnv = { ...buildChildEnvironment(env), ...its };
  const stage = createStage(options.show, childEnv);
  const stop = () => void stage.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    options.show({ type: 'scene', scene: 'opening' });
    // An unattended demo lasts only a few seconds, too short for a person to join.
    if (options.person !== undefined) options.show({ type: 'join', env: its });
    const audit = await play(stage, folder, readyFile, options);
    if (options.person !== undefined) {
      options.show({ type: 'scene', scene: 'chat' });
      await options.person.chat(childEnv);
    }
    return { audit };
  } catch (error) {
    // The signal's reason explains more than the errors of the steps that were stopped.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await stage.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function play(
  stage: Stage,
  folder: string,
  readyFile: string,
  { show, person }: Parameters<typeof playDemo>[1],
): Promise<Record<string, unknown>[]> {
  const scene = (name: DemoScene) => show({ type: 'scene', scene: name });
  const home = join(folder, 'sandbox');
  const sandbox = stage.background(['sandbox', '--home', home, '--port', '0', '--ready-file', readyFile]);
  const ready = await waitForReady(readyFile, sandbox);
  const phone = createPhoneClient({
    phone: ready.phone,
    pairingSecret: readFileSync(join(ready.home, 'pairing-secret'), 'utf8').trim(),
  });

  scene('sign_in');
  const login = stage.start(['login']);
  const code = await login.line(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
  await stage.start(['phone', 'login', code, '--user', USER], 'phone').done();
  await login.done();

  scene('portfolio');
  await stage.start(['run', 'show my portfolio']).done();

  scene('order');
  const order = stage.start(['run', ORDER]);
  // Continues once both the terminal and the phone show the order.
  await Promise.all([order.line(/\bapprove\s+http/), pendingRequest(phone)]);
  scene('hang_up');
  order.hangUp();
  const [, , thread = ''] = (await order.line(/\btrade-agent resume \S+/)).split(' ');
  await order.ended();
  scene('nobody_there');

  scene('phone');
  const tapped = person !== undefined && (await askPerson(phone, person.approve)) === 'tapped';
  if (!tapped) await stage.start(['phone', '--user', USER, '--decide', 'approve', '--once'], 'phone').done();

  scene('told');
  await stage.start(['resume', thread]).done();
  await stage.start(['orders']).done();

  scene('record');
  const audit = await readAuditLog(join(ready.home, 'gateway.db'));
  for (const entry of audit) show({ type: 'record', entry });
  return audit;
}

async function readAuditLog(file: string): Promise<Record<string, unknown>[]> {
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  const { createSqliteAuditStores } = await import('../store/sqlite/gateway-stores.ts');
  const database = new Database(file, { fileMustExist: true });
  try {
    const lines = await createSqliteAuditStores(database).audit.listByPerson(USER, MAX_AUDIT_LINES);
    return lines.map(({ line }) => JSON.parse(line) as Record<string, unknown>).reverse();
  } finally {
    database.close();
  }
}

async function waitForReady(file: string, sandbox: ReturnType<Stage['background']>): Promise<SandboxReadyInfo> {
  const deadline = Date.now() + STEP_TIMEOUT_MS;
  for (;;) {
    const ready = readReadyFile(file);
    if (ready !== undefined) return ready;
    if (sandbox.ended() || Date.now() > deadline) {
      throw new TradeAgentError('provider_unreachable', 'the sandbox did not start', {
        hint: sandbox.lastLine() || 'Run "trade-agent sandbox" to see why.',
      });
    }
    await systemClock.sleep(20);
  }
}

async function pendingRequest(phone: PhoneClient): Promise<string> {
  const signal = AbortSignal.timeout(STEP_TIMEOUT_MS);
  for (;;) {
    const request = (await phone.requests(USER, { waitSeconds: 10, signal })).find(
      ({ status }) => status === 'pending',
    );
    if (request !== undefined) return request.id;
  }
}

async function askPerson(phone: PhoneClient, person: AskForApproval): Promise<'tapped' | 'here'> {
  const { url } = await phone.pairing(USER);
  const decided = new AbortController();
  try {
    return await person({ url, user: USER, tapped: untilNothingPending(phone, decided.signal) });
  } finally {
    decided.abort();
  }
}

/** Resolves when the phone has no pending request or is unreachable. */
async function untilNothingPending(phone: PhoneClient, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      const open = await phone.requests(USER, { waitSeconds: 5, signal });
      if (!open.some(({ status }) => status === 'pending')) return;
    }
  } catch {
    // If the phone is unreachable, the next step reports it.
  }
}

const STEP_TIMEOUT_MS = 20_000;
/** Maximum number of lines of the audit log that are shown. */
const MAX_AUDIT_LINES = 100;

type PlayedLine =
  | { readonly type: 'command'; readonly who: 'you' | 'phone'; readonly args: readonly string[] }
  | { readonly type: 'line'; readonly text: string };

type Stage = ReturnType<typeof createStage>;

/** Runs commands, shows their output, and stops them when the demo ends. */
function createStage(show: (line: PlayedLine) => void, env: NodeJS.ProcessEnv) {
  const running = new Set<ChildProcess>();
  const run = (args: readonly string[], stdio: NonNullable<SpawnOptions['stdio']>): ChildProcess => {
    const child = spawn(process.execPath, [launcherPath(), ...args], { stdio, env });
    running.add(child);
    child.once('close', () => running.delete(child));
    return child;
  };
  return {
    /** Starts a process. Its output is shown only if it fails. */
    background(args: readonly string[]) {
      const child = run(args, ['ignore', 'ignore', 'pipe']);
      let said = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString('utf8')).slice(-2000);
      });
      return { ended: () => child.exitCode !== null, lastLine: () => said.trim().split('\n').at(-1) ?? '' };
    },
    start(args: readonly string[], who: 'you' | 'phone' = 'you') {
      show({ type: 'command', who, args });
      return followCommand(run(args, ['ignore', 'pipe', 'pipe']), args.join(' '), show);
    },
    async stop() {
      await Promise.all(
        [...running].map(
          (child) =>
            new Promise((resolve) => {
              child.once('close', resolve);
              child.kill('SIGTERM');
            }),
        ),
      );
    },
  };
}

/** Follows a command and shows its output. The returned promises reject after a time limit. */
function followCommand(child: ChildProcess, name: string, show: (line: PlayedLine) => void) {
  const seen: string[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  const onData = (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      seen.push(text);
      show({ type: 'line', text });
    }
    for (const check of waiting) check();
  };
  child.stdout?.on('data', onData);
  child.stderr?.on('data', onData);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    hangUp: () => child.kill('SIGHUP'),
    ended: () => withTimeLimit(ended, name),
    /** Returns the first line of output that matches. @throws {TradeAgentError} if the command ends first */
    line: (pattern: RegExp) =>
      withTimeLimit(
        new Promise<string>((resolve, reject) => {
          const check = () => {
            const match = [...seen, rest].map((line) => pattern.exec(line)?.[0]).find((text) => text !== undefined);
            if (match !== undefined) resolve(match);
          };
          waiting.add(check);
          check();
          void ended.then((code) =>
            reject(new TradeAgentError('internal', `"trade-agent ${name}" ended early (${code})`)),
          );
        }),
        name,
      ),
    done: () =>
      withTimeLimit(
        ended.then((code) => {
          if (code !== 0) throw new TradeAgentError('internal', `"trade-agent ${name}" exited with code ${code}`);
        }),
        name,
      ),
  };
}

function withTimeLimit<T>(promise: Promise<T>, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new TradeAgentError('timeout', `"trade-agent ${name}" took too long`)),
      STEP_TIMEOUT_MS,
    );
    promise.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}
