import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { toWebauthnEvidence } from '../../src/approval/signature/statement.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { freePort } from '../free-port.ts';
import { allowDevice, type HttpBrowser, pairByHttp } from '../integration/home/http-browser.ts';
import type { Authenticator } from '../unit/approval/signature/authenticator.ts';
import { ScriptFaults } from './script-session.ts';
import { type Finished, type Running, startCommand } from './world.ts';

/** A phone that was paired: a browser that is signed in, and its authenticator. */
export interface PairedPhone {
  readonly browser: HttpBrowser;
  readonly authenticator: Authenticator;
}

/** A machine with an agent and a home of its own, whose broker is the sandbox's. */
export interface HomeWorld {
  readonly folder: string;
  readonly address: string;
  readonly home: string;
  readonly sandbox: Sandbox;
  cli(...args: string[]): Promise<Finished>;
  start(...args: string[]): Running;
  /** Fails where it doesn't end with 0. @returns its one JSON object */
  json<T>(...args: string[]): Promise<T>;
  init(): Promise<void>;
  /** Serves a home, by default at its own address. @returns a function that stops it */
  serve(home?: string, ...flags: readonly string[]): Promise<(signal?: NodeJS.Signals) => Promise<Finished>>;
  /** Resolves when the home that was served last has ended, with what ended it. */
  ended(): Promise<NodeJS.Signals | null>;
  pair(): Promise<PairedPhone>;
  /** @param profile whose server to sign in to; by default the home's */
  login(phone: PairedPhone, profile?: string): Promise<void>;
  /** Proposes without waiting. @returns the thread */
  propose(prompt: string): Promise<string>;
  approve(phone: PairedPhone): Promise<Response>;
  waiting(phone: PairedPhone): Promise<string[]>;
  close(): Promise<void>;
}

const json = { accept: 'application/json' };

/** @param program what the program needs in its environment beside the usual, and another build of it */
export async function createHomeWorld(
  faults = new ScriptFaults(),
  program?: { readonly launcher?: string; readonly env: NodeJS.ProcessEnv },
): Promise<HomeWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-homes-'));
  const sandbox = await startSandbox({ home: join(folder, 'sandbox'), port: 0, partialFills: false, faults });
  const address = `http://localhost:${await freePort()}`;
  const home = join(folder, 'agent-home');
  const env = { HOME: folder, TRADE_AGENT_HOME: join(folder, 'agent'), TRADE_AGENT_PROFILE: 'home' };
  const start = (args: readonly string[], endless = false): Running =>
    startCommand(args, {
      env: { ...env, ...program?.env },
      endless,
      ...(program?.launcher === undefined ? {} : { program: program.launcher }),
    });
  const running = new Set<Running>();
  let ended = Promise.resolve<NodeJS.Signals | null>(null);
  const world: HomeWorld = {
    ...{ folder, address, home, sandbox },
    cli: (...args) => start(args).finished,
    start: (...args) => start(args),
    async json<T>(...args: string[]) {
      const { code, stdout, stderr } = await world.cli(...args, '--output', 'json');
      if (code !== 0) throw new Error(`"${args.join(' ')}" ended with ${code}: ${stdout}${stderr}`);
      return JSON.parse(stdout) as T;
    },
    async init() {
      const [alice] = sandbox.seed.users;
      const keys = join(folder, 'keys.txt');
      writeFileSync(keys, `${alice?.broker_key.key_id}\n${alice?.broker_key.secret}\n`, { mode: 0o600 });
      const named = ['--name', 'Alice', '--address', address, '--broker-key-file', keys];
      await world.json('home', 'init', ...named, '--broker-url', sandbox.ready.broker, '--yes');
      // A new home's orders go out on weekdays from four to eight: these tests run at any hour.
      const limits = join(home, 'limits.yaml');
      const rules = parseDocument(readFileSync(limits, 'utf8'));
      rules.deleteIn(['accounts', '*', 'hours']);
      writeFileSync(limits, String(rules), { mode: 0o600 });
    },
    async serve(of = home, ...flags) {
      const served = start(['home', 'serve', '--home', of, ...flags], true);
      running.add(served);
      ended = served.finished.then(() => {
        running.delete(served);
        return served.child.signalCode;
      });
      ended.catch(() => undefined);
      await served.waitFor(/Ctrl-C/);
      return async (signal = 'SIGTERM') => {
        served.child.kill(signal);
        return await served.finished;
      };
    },
    ended: () => ended,
    pair: async () => pairByHttp((await world.json<{ url: string }>('home', 'pair')).url),
    async login({ browser }, profile = 'home') {
      const login = start(['login', '--profile', profile]);
      const [code] = await login.waitFor(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
      await allowDevice(browser, code ?? '');
      const { code: exit, stderr } = await login.finished;
      if (exit !== 0) throw new Error(`login ended with ${exit}: ${stderr}`);
    },
    async propose(prompt) {
      const { code, stdout, stderr } = await world.cli('run', prompt, '--approval', 'detach', '--output', 'json');
      if (code !== 5) throw new Error(`"${prompt}" ended with ${code}: ${stdout}${stderr}`);
      return (JSON.parse(stdout) as { thread: string }).thread;
    },
    async waiting({ browser }) {
      const text = await (await browser.visit('/phone')).text();
      return [...new Set([...text.matchAll(/\/phone\/requests\/([\w-]+)/g)].map(([, id = '']) => id))];
    },
    async approve(phone) {
      const [id, ...more] = await world.waiting(phone);
      if (id === undefined || more.length > 0) throw new Error(`${more.length + Number(id !== undefined)} wait`);
      const { browser, authenticator } = phone;
      const path = `/phone/requests/${id}`;
      const options = await browser.submit('/phone', `${path}/options`, {}, json);
      if (!options.ok) throw new Error(`no options: ${options.status} ${await options.text()}`);
      const { challenge, statement } = (await options.json()) as {
        challenge: string;
        statement: Parameters<typeof toWebauthnEvidence>[1];
      };
      const evidence = JSON.stringify(toWebauthnEvidence(authenticator.assert(challenge), statement));
      return await browser.submit('/phone', path, { decision: 'approve', evidence }, json);
    },
    async close() {
      for (const served of running) {
        served.child.kill('SIGKILL');
        await served.finished.catch(() => undefined);
      }
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return world;
}
