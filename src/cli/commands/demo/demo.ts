import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { launcher } from '../../../app/launcher.ts';
import { childEnvironment } from '../../../app/sandbox-connection.ts';
import { createPhoneClient } from '../../../home/phone/phone-client.ts';
import { systemClock } from '../../../machine/clock.ts';
import { readReadyFile, type SandboxReady } from '../../../sandbox/ready-file.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import type { Cli, GlobalOptions } from '../../cli.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { createOutput, type Output, type OutputFormat } from '../../output.ts';
import type { Io } from '../../terminal/io.ts';

/** Without a person at the terminal, every single step must be over well within this. */
const STEP_LIMIT_MS = 20_000;

const USER = 'alice';
const ORDER = 'buy 5 AAPL';

export function addDemoCommand(program: Command, cli: Cli): void {
  program
    .command('demo')
    .description('play the whole loop on a throw-away sandbox: sign in, order, approval on the phone, fill')
    .addHelpText(
      'after',
      examples([['trade-agent demo', 'with a terminal you approve, and go on in the chat']]) +
        exitCodes([124]),
    )
    .action(async (_options, command: Command) => {
      const { timeout, output } = command.optsWithGlobals<GlobalOptions>();
      if (timeout !== undefined) cli.interruption.limit(timeout);
      await runDemo(cli, createOutput(cli.io, output));
    });
}

/**
 * Plays the whole loop with the very commands a person would type, each a process of its own, on a sandbox that is
 * thrown away afterwards. The run that proposes is hung up on before anybody approves: the order is carried out all the
 * same. With a terminal, the person approves it and is handed over to the chat.
 */
async function runDemo(cli: Cli, output: Output): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-demo-'));
  const readyFile = join(folder, 'ready.json');
  const stage = new Stage(cli.io, output.format, {
    ...childEnvironment(cli.env),
    TRADE_AGENT_HOME: join(folder, 'agent'),
    TRADE_AGENT_SANDBOX: readyFile,
  });
  const { signal } = cli.interruption;
  const stop = () => void stage.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await play(stage, cli.io, output, folder, readyFile);
  } catch (error) {
    // What the steps report once they are killed says less than why they were.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await stage.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function play(stage: Stage, io: Io, output: Output, folder: string, readyFile: string): Promise<void> {
  const interactive = io.interactive && io.stdoutIsTty && output.format === 'text';
  stage.say(
    'trade-agent demo: a simulated broker, identity provider and phone, all on this machine. No real money.',
  );

  const sandbox = stage.background([
    ...['sandbox', '--home', join(folder, 'sandbox'), '--port', '0', '--ready-file', readyFile],
  ]);
  const ready = await waitForReady(readyFile, sandbox);
  const phone = createPhoneClient({
    phone: ready.phone,
    pairingSecret: readFileSync(join(ready.home, 'pairing-secret'), 'utf8').trim(),
  });

  stage.title('1. Sign in: the terminal shows a code, the phone confirms it');
  const login = stage.start(['login']);
  const code = await login.line(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
  await stage.start(['phone', 'login', code, '--user', USER], 'phone').done();
  await login.done();

  stage.title('2. The portfolio');
  await stage.start(['run', 'show my portfolio']).done();

  stage.title('3. A sentence becomes an order, and waits for the phone');
  const order = stage.start(['run', ORDER]);
  // Both sides show it before the story goes on: the terminal its panel, the phone its request.
  await Promise.all([order.line(/\bapprove\s+http/), pendingRequest(phone)]);
  stage.title('4. The terminal is closed in the middle of it: the last that the run says');
  order.hangUp();
  const [, , thread = ''] = (await order.line(/\btrade-agent resume \S+/)).split(' ');
  await order.ended();
  stage.say('   Now nothing of the agent is running any more.');

  stage.title('5. The phone shows the same order and the same code');
  if (interactive) await letThePersonApprove(stage, io, phone);
  else await stage.start(['phone', '--user', USER, '--decide', 'approve', '--once'], 'phone').done();

  stage.title('6. The gateway has checked the approval, and traded: a new terminal is only told');
  await stage.start(['resume', thread]).done();
  await stage.start(['orders']).done();

  stage.title('7. What the gateway’s record says');
  const record = readFileSync(join(ready.home, 'audit.jsonl'), 'utf8').trim().split('\n');
  for (const line of record) stage.say(`   ${summarize(line)}`);

  if (!interactive) {
    const audit = record.map((line) => JSON.parse(line) as unknown);
    await output.result(
      'demo',
      { audit },
      () => '\nDone. Start the chat with "trade-agent" ("npm start" in a checkout).',
    );
    return;
  }
  stage.say('\nOver to you: the chat, on this same sandbox. Try "sell half my MSFT". /quit ends it.\n');
  await stage.chat();
}

/** One line of the record, without its long fields. */
function summarize(line: string): string {
  const { at, event, type, code, status, order } = JSON.parse(line) as Record<string, unknown>;
  const what = typeof order === 'string' ? order : '';
  return [at, event ?? type, code, status, what]
    .filter((part) => typeof part === 'string' && part !== '')
    .join('  ');
}

async function waitForReady(file: string, sandbox: Background): Promise<SandboxReady> {
  const deadline = Date.now() + STEP_LIMIT_MS;
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

type Phone = ReturnType<typeof createPhoneClient>;

async function pendingRequest(phone: Phone): Promise<string> {
  const signal = AbortSignal.timeout(STEP_LIMIT_MS);
  for (;;) {
    const request = (await phone.requests(USER, { waitSeconds: 10, signal })).find(
      ({ status }) => status === 'pending',
    );
    if (request !== undefined) return request.id;
  }
}

/** The person taps on the phone page, or presses Enter to use the terminal's phone instead. */
async function letThePersonApprove(stage: Stage, io: Io, phone: Phone): Promise<void> {
  const { url } = await phone.ticket(USER);
  stage.say(`   Open the phone (the link works once, for ${USER}):\n\n     ${url}\n`);
  const input = createInterface({ input: io.stdin, output: io.stdout });
  const decided = new AbortController();
  const tapped = (async () => {
    for (;;) {
      const open = await phone.requests(USER, { waitSeconds: 5, signal: decided.signal });
      if (!open.some(({ status }) => status === 'pending')) return 'tapped';
    }
  })().catch(() => 'tapped');
  const typed = input.question('   Approve there, or press Enter to approve with the terminal’s phone: ', {
    signal: decided.signal,
  });
  const how = await Promise.race([tapped, typed.then(() => 'typed').catch(() => 'tapped')]);
  decided.abort();
  input.close();
  io.print('');
  if (how === 'typed')
    await stage.start(['phone', '--user', USER, '--decide', 'approve', '--once'], 'phone').done();
}

/** A process whose talk only matters when it fails. */
interface Background {
  ended(): boolean;
  lastLine(): string;
}

/** A command that everyone watches. */
interface Played {
  /** The first text it prints that matches. @throws {TradeAgentError} where it ends or takes too long before that */
  line(pattern: RegExp): Promise<string>;
  /** What a terminal does to it that is closed. */
  hangUp(): void;
  /** @throws {TradeAgentError} where it takes too long */
  ended(): Promise<unknown>;
  /** @throws {TradeAgentError} where it fails, or takes too long */
  done(): Promise<void>;
}

/** Runs commands for everyone to see, and ends whatever still runs when the demo does. */
class Stage {
  readonly #io: Io;
  readonly #format: OutputFormat;
  readonly #env: NodeJS.ProcessEnv;
  readonly #running = new Set<ChildProcess>();

  constructor(io: Io, format: OutputFormat, env: NodeJS.ProcessEnv) {
    this.#io = io;
    this.#format = format;
    this.#env = env;
  }

  say(text: string): void {
    // The play is the result for people; for a program it is talk.
    if (this.#format === 'text') this.#io.print(text);
    else this.#io.talk(text);
  }

  title(text: string): void {
    this.say(`\n── ${text}`);
  }

  background(args: string[]): Background {
    const child = this.#spawn(args, ['ignore', 'ignore', 'pipe']);
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-2000);
    });
    return { ended: () => child.exitCode !== null, lastLine: () => said.trim().split('\n').at(-1) ?? '' };
  }

  /** Starts a command and prints its lines, indented, as they come. */
  start(args: string[], who = 'you'): Played {
    this.say(`   ${who} $ trade-agent ${args.map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg)).join(' ')}`);
    const child = this.#spawn(args, ['ignore', 'pipe', 'pipe']);
    const seen: string[] = [];
    const waiting = new Set<() => void>();
    let rest = '';
    const onData = (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        seen.push(line);
        this.say(`     ${line}`);
      }
      for (const check of waiting) check();
    };
    child.stdout?.on('data', onData);
    child.stderr?.on('data', onData);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const name = args.join(' ');
    return {
      hangUp: () => child.kill('SIGHUP'),
      ended: () => within(ended, name),
      line: (pattern) =>
        within(
          new Promise<string>((resolve, reject) => {
            const check = () => {
              const match = [...seen, rest]
                .map((line) => pattern.exec(line)?.[0])
                .find((text) => text !== undefined);
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
        within(
          ended.then((code) => {
            if (code !== 0)
              throw new TradeAgentError('internal', `"trade-agent ${name}" ended with exit code ${code}`);
          }),
          name,
        ),
    };
  }

  async chat(): Promise<void> {
    const child = this.#spawn([], 'inherit');
    await new Promise((resolve) => child.once('close', resolve));
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#running].map(
        (child) =>
          new Promise((resolve) => {
            child.once('close', resolve);
            child.kill('SIGTERM');
          }),
      ),
    );
  }

  #spawn(args: string[], stdio: Parameters<typeof spawn>[2]['stdio']): ChildProcess {
    const child = spawn(process.execPath, [launcher(), ...args], { stdio, env: this.#env });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return child;
  }
}

function within<T>(promise: Promise<T>, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new TradeAgentError('timeout', `"trade-agent ${name}" took too long`)),
      STEP_LIMIT_MS,
    );
    promise.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}
