import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTradeAgentError } from '../../src/errors/errors.ts';
import { createPhoneClient } from '../../src/home/phone/phone-client.ts';
import { readReadyFile } from '../../src/sandbox/ready-file.ts';
import { withLegs } from '../fixtures/booked-legs.ts';
import { openGatewayBook } from './gateway-book.ts';
import { answered, PATIENCE_MS, until } from './patience.ts';
import { type Ended, type Program, startProgram } from './program.ts';

/** An order as the broker's book has it: the one witness that is believed. */
export interface BookedOrder {
  readonly client_order_id: string;
  readonly symbol: string;
  readonly side: string;
  readonly type: string;
  readonly qty: string | null;
  readonly filled_qty: string;
  readonly notional: string | null;
  readonly limit_price: string | null;
  readonly stop_price: string | null;
  readonly order_class: string;
  readonly status: string;
  /** The exits that came with it. */
  readonly legs: readonly BookedOrder[];
}

export type CrashWorld = Awaited<ReturnType<typeof createCrashWorld>>;

export async function createCrashWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-crash-'));
  const readyFile = join(folder, 'ready.json');
  const armFile = join(folder, 'failpoint');
  const sandboxHome = join(folder, 'sandbox');
  const env = { HOME: folder, TRADE_AGENT_HOME: join(folder, 'agent'), TRADE_AGENT_SANDBOX: readyFile };
  writeFileSync(armFile, '');

  let sandbox: Program | undefined;
  let up: Promise<void> = Promise.resolve();
  const start = (port: readonly string[]): Promise<void> => {
    const started = startProgram(
      // Should the tests themselves be killed, nothing is left running.
      ['sandbox', '--home', sandboxHome, '--ready-file', readyFile, '--idle-exit', '10m', ...port],
      { ...env, TRADE_AGENT_FAILPOINT: `@${armFile}` },
      { endless: true },
    );
    sandbox = started;
    up = serving(started, readyFile);
    up.catch(() => undefined);
    return up;
  };
  await start(['--port', String(await twoFreePorts())]);
  const ready = readReadyFile(readyFile);
  if (ready === undefined) throw new Error('the sandbox has no ready file');
  const { admin_secret } = JSON.parse(readFileSync(join(sandboxHome, 'seed.json'), 'utf8'));
  const phone = createPhoneClient({
    phone: ready.phone,
    pairingSecret: readFileSync(join(sandboxHome, 'pairing-secret'), 'utf8').trim(),
  });

  const gateway = openGatewayBook(sandboxHome);
  let armed = 0;

  const world = {
    /** Of identity provider, phone and gateway. */
    address: ready.issuer,
    phone,
    /** An agent process, which heeds `failpoint`. `endless`: however long it takes. */
    agent: (args: readonly string[], failpoint?: string, options?: { endless?: boolean }) =>
      startProgram(args, { ...env, ...(failpoint === undefined ? {} : { TRADE_AGENT_FAILPOINT: failpoint }) }, options),
    /** Arms the running sandbox, or disarms it. Blanks make it another order: passings are counted from here on. */
    arm: (failpoint: string) => writeFileSync(armFile, `${failpoint}${' '.repeat(++armed)}`),
    sandboxSaid: () => sandbox?.said() ?? '',
    sandboxEnded: () => (sandbox as Program).ended,
    signalSandbox: (signal: NodeJS.Signals) => void sandbox?.child.kill(signal),
    restartSandbox: () => start([]),
    sandboxUp: () => up,
    async book(): Promise<BookedOrder[]> {
      const response = await fetch(`${ready.broker}/admin/book`, {
        headers: { authorization: `Bearer ${admin_secret}` },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!response.ok) throw new Error(`the book can't be read: ${response.status}`);
      return withLegs(((await response.json()) as { orders: BookedOrder[] }).orders);
    },
    gateway,
    async close() {
      sandbox?.child.kill('SIGTERM');
      await sandbox?.ended.catch(() => undefined);
      gateway.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await signIn(world);
  } catch (error) {
    await world.close();
    throw error;
  }
  return world;
}

async function signIn(world: Pick<CrashWorld, 'agent' | 'phone'>): Promise<void> {
  const login = world.agent(['login']);
  let code: string | undefined;
  let ended: Ended | undefined;
  void login.ended.then((end) => {
    ended = end;
  });
  while (code === undefined) {
    if (ended !== undefined) throw new Error(`login ended too early: ${login.said()}`);
    code = /\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/.exec(login.said())?.[0];
    await sleep(20);
  }
  const userCode = code;
  await answered(() => world.phone.completeDevice('alice', userCode)).catch((error: unknown) => {
    // Done by a call whose answer came too late.
    if (!isTradeAgentError(error) || error.code !== 'usage') throw error;
  });
  const { code: exit } = await login.ended;
  if (exit !== 0) throw new Error(`login ended with ${exit}: ${login.said()}`);
}

/** Until the ready file is this process's: one killed hard leaves its own behind. */
async function serving(sandbox: Program, readyFile: string): Promise<void> {
  let ended = false;
  void sandbox.ended.then(() => {
    ended = true;
  });
  const isServing = () => readReadyFile(readyFile)?.pid === sandbox.child.pid;
  const failed = () => `the sandbox did not start:\n${sandbox.said()}`;
  try {
    await until(() => ended || isServing(), failed);
    if (!isServing()) throw new Error(failed());
  } catch (error) {
    sandbox.child.kill('SIGKILL');
    throw error;
  }
}

/** The first of two neighboring ports that are free now. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all([first, first + 1].map(isFree));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
