import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ActiveFaults, type FaultName } from '../../src/home/identity-provider/faults.ts';
import type { PhoneClient } from '../../src/home/phone/phone-client.ts';
import type { SandboxReadyInfo } from '../../src/sandbox/ready-file.ts';
import { letMcpClientIn } from './mcp-client.ts';
import { badModelServer, type ModelServerMode, type RunningModelServer } from './model-servers.ts';
import { checkJson } from './output-schemas.ts';
import { enrolPasskey } from './passkey.ts';
import type { Expectation, Scenario, Step } from './script-file.ts';
import { compiledCode, launcher } from './world.ts';

/** Nothing a script does takes this long. */
const LIMIT_MS = 90_000;

/** Faults of which one can bring on another, which then lasts. */
export class ScriptFaults extends ActiveFaults {
  readonly #next = new Map<FaultName, FaultName>();

  chain(first: FaultName, next: FaultName): void {
    this.#next.set(first, next);
    this.set(first, 1);
  }

  override take(name: FaultName): boolean {
    const taken = super.take(name);
    const next = this.#next.get(name);
    if (taken && next !== undefined) this.set(next, Number.POSITIVE_INFINITY);
    return taken;
  }
}

export interface Stage {
  readonly ready: SandboxReadyInfo;
  readonly phone: PhoneClient;
  readonly faults: ScriptFaults;
}

interface Output {
  stdout: string;
  stderr: string;
}

/** Plays a scenario on a sandbox with its own home. @throws at the first difference */
export async function playScenario(scenario: Scenario, stage: Stage): Promise<void> {
  const session = new Session(stage);
  try {
    for (const step of scenario.steps) await session.play(step);
  } finally {
    await session.close();
  }
}

type Act = (...words: string[]) => Promise<unknown>;

class Session {
  readonly #stage: Stage;
  readonly #folder = mkdtempSync(join(tmpdir(), 'trade-agent-script-'));
  readonly #env: NodeJS.ProcessEnv;
  readonly #background = new Set<ChildProcess>();
  readonly #servers = new Set<RunningModelServer>();

  constructor(stage: Stage) {
    this.#stage = stage;
    const bin = join(this.#folder, 'bin');
    mkdirSync(bin);
    const shim = (name: string, ...words: string[]) =>
      writeFileSync(join(bin, name), `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`, {
        mode: 0o755,
      });
    shim('trade-agent', process.execPath, launcher);
    shim('signal-when', process.execPath, fileURLToPath(new URL('signal-when.mjs', import.meta.url)));
    const readyFile = join(this.#folder, 'ready.json');
    writeFileSync(readyFile, JSON.stringify(stage.ready));
    this.#env = {
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      HOME: this.#folder,
      XDG_CACHE_HOME: compiledCode('dist'),
      TRADE_AGENT_HOME: join(this.#folder, 'agent'),
      TRADE_AGENT_SANDBOX: readyFile,
      ISSUER: stage.ready.issuer,
      GATEWAY: stage.ready.gateway,
      SANDBOX: stage.ready.home,
      BROKER: stage.ready.broker,
      COMPANY: stage.ready.company?.issuer,
    };
  }

  async play(step: Step): Promise<void> {
    try {
      if (step.kind === 'act') await this.#act(step.words);
      else if (step.background) await this.#start(step);
      else await this.#run(step);
    } catch (error) {
      throw new Error(`line ${step.line}: ${(error as Error).message}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    for (const child of this.#background) endGroup(child.pid as number);
    await Promise.all([...this.#servers].map((server) => server.close()));
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #act([name = '', ...words]: readonly string[]): Promise<void> {
    const stage = this.#stage;
    const acts: Record<string, Act> = {
      login: (user = 'alice') => this.#login(user),
      // `@fault NAME 3`, or `@fault NAME then OTHER`
      fault: async (fault = '', times = '1', next = '') =>
        times === 'then'
          ? stage.faults.chain(fault as FaultName, next as FaultName)
          : stage.faults.set(fault as FaultName, Number(times)),
      'clear-faults': async () => stage.faults.clear(),
      // The address of a language model's server that behaves as named, in $MODEL_URL.
      model: async (mode = '') => {
        const server = await badModelServer(mode as ModelServerMode);
        this.#servers.add(server);
        this.#env.MODEL_URL = server.url;
      },
      // Pairs an authenticator with somebody of a home, as their phone would.
      passkey: (home = '', user = '') => enrolPasskey(join(this.#folder, home), user),
      // Lets an MCP client in there, as their browser would.
      'mcp-client': (home = '', user = '', name = '') => letMcpClientIn(join(this.#folder, home), user, name),
      file: async (path = '', ...text) => {
        const file = join(this.#folder, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, `${text.join(' ').replaceAll('\\n', '\n')}\n`, { mode: 0o600 });
      },
    };
    const act = acts[name];
    if (act === undefined) throw new Error(`there is no @${name}`);
    await act(...words);
  }

  async #login(user: string): Promise<void> {
    const login = this.#spawn('trade-agent login');
    const code = await login.says(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
    await this.#stage.phone.completeDevice(user, code[0]);
    if ((await login.ended) !== 0) throw new Error(`login failed: ${login.output.stderr}`);
  }

  async #run({ command, exit, expected }: Step & { kind: 'command' }): Promise<void> {
    const { ended, output } = this.#spawn(command);
    const code = await ended;
    const said = `\n--- stdout\n${output.stdout}\n--- stderr\n${output.stderr}`;
    if (code !== exit) throw new Error(`exit code ${code} instead of ${exit}${said}`);
    checkJson(output.stdout);
    for (const expectation of expected) this.#compare(expectation, output, said);
  }

  #compare({ line, stream, pattern, names, text }: Expectation, output: Output, said: string): void {
    const actual = output[stream];
    if (pattern === null) {
      if (actual !== '') throw new Error(`line ${line}: ${stream} is not empty${said}`);
      return;
    }
    const match = pattern.exec(actual);
    if (match === null) throw new Error(`line ${line}: ${stream} lacks "${text}"${said}`);
    for (const [index, name] of names.entries()) this.#env[name] = match[index + 1];
  }

  async #start({ command, expected }: Step & { kind: 'command' }): Promise<void> {
    const running = this.#spawn(command);
    this.#background.add(running.child);
    void running.ended.finally(() => this.#background.delete(running.child)).catch(() => undefined);
    for (const { pattern } of expected) if (pattern !== null) await running.says(pattern);
  }

  #spawn(command: string) {
    // A process group of its own, so that what bash started ends with it.
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
      ...{ env: this.#env, cwd: this.#folder, detached: true },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: Output = { stdout: '', stderr: '' };
    const listeners = new Set<() => void>();
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        for (const listener of listeners) listener();
      });
    }
    const ended = new Promise<number | null>((resolve, reject) => {
      const timer = setTimeout(() => {
        process.kill(-(child.pid as number), 'SIGKILL');
        reject(new Error(`did not end; it said:\n${output.stdout}${output.stderr}`));
      }, LIMIT_MS);
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve(code);
      });
    });
    ended.catch(() => undefined);
    const says = (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const check = () => {
          const match = pattern.exec(output.stdout + output.stderr);
          if (match === null) return false;
          listeners.delete(check);
          resolve(match);
          return true;
        };
        listeners.add(check);
        check();
        ended.then(() => {
          if (!check()) reject(new Error(`ended before ${pattern}: ${output.stdout}${output.stderr}`));
        }, reject);
      });
    return { child, output, ended, says };
  }
}

/** Ends a process and all that it started. It may have ended by itself. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
