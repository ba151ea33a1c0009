import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/machine/clock.ts';
import { listenOnLoopback } from '../../src/net/http-server.ts';
import type { GatewayLoad } from '../load/gateway-process.ts';
import type { LoadGateway } from '../load/world.ts';

/** Several gateways over one database, behind one address. Any of them can be killed, or made to stand still. */
export interface Fleet extends LoadGateway {
  readonly count: number;
  /** Ends one as a power cut does, and starts another in its place. */
  kill(index: number): Promise<void>;
  /** Has one stand still for so long, while it is asked as ever. */
  standStill(index: number, ms: number): Promise<void>;
}

interface Member {
  readonly child: ChildProcess;
  readonly port: number;
}

/** The balancer gives up on one that does not answer, as those do that people use. */
const ANSWER_MS = 30_000;

/** @param where the database, and the tenant */
export async function startFleet(count: number, where: GatewayLoad['postgres']): Promise<Fleet> {
  const balancer = await listenOnLoopback(0, () => 0);
  const members: Member[] = [];
  let options: GatewayLoad | undefined;
  let next = 0;
  let isClosed = false;
  balancer.serve((request, response) => {
    next = (next + 1) % members.length;
    const inTurn = [...members.slice(next), ...members.slice(0, next)];
    void pass(
      request,
      response,
      inTurn.map(({ port }) => port),
    ).catch(() => response.destroy());
  });
  const start = async (index: number) => {
    const member = await startMember();
    member.child.send({ options });
    await heard(member.child);
    members[index] = member;
  };
  return {
    url: balancer.url,
    count,
    async open(given) {
      options = { ...given, resource: balancer.url, ...(where && { postgres: where }) };
      for (let index = 0; index < count; index++) await start(index);
    },
    figures: () => Promise.reject(new Error('each of several has its own')),
    async kill(index) {
      const { child } = members[index] as Member;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      await start(index);
    },
    async standStill(index, ms) {
      const { child } = members[index] as Member;
      child.kill('SIGSTOP');
      await systemClock.sleep(ms);
      child.kill('SIGCONT');
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await Promise.all(
        members.map(async ({ child }) => {
          const ended = once(child, 'exit');
          child.send('close');
          await ended;
        }),
      );
      await balancer.close();
    },
  };
}

async function startMember(): Promise<Member> {
  const file = fileURLToPath(new URL('../load/gateway-process.ts', import.meta.url));
  const child = fork(file, [], {
    execArgv: ['--expose-gc', '--no-warnings'],
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
  });
  const { port } = new URL(String(await heard(child)));
  return { child, port: Number(port) };
}

async function heard(child: ChildProcess): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const died = (code: number | null) => reject(new Error(`a gateway’s process ended with ${code}`));
  child.once('exit', died);
  child.once('message', resolve);
  try {
    return await promise;
  } finally {
    child.off('exit', died);
    child.off('message', resolve);
  }
}

const agent = new Agent({ keepAlive: true });

/**
 * Hands a request on as it is, and its answer back. Where one does not answer at all the next is asked, as docs/OPERATIONS.md has
 * it; 502 where none does.
 */
async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  ports: readonly number[],
): Promise<void> {
  const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  for (const port of ports) {
    const answer = await ask(request, body, port, gone.signal);
    if (answer === undefined) continue;
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.once('error', () => response.destroy());
    answer.pipe(response);
    return;
  }
  response.writeHead(502, { 'content-type': 'application/json' }).end('{}');
}

/** Undefined where there is no answer. */
function ask(
  { method, url, headers }: IncomingMessage,
  body: Buffer,
  port: number,
  signal: AbortSignal,
): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    const to = { agent, host: '127.0.0.1', port, method, path: url, headers, timeout: ANSWER_MS, signal };
    const passed = send(to, resolve);
    passed.once('timeout', () => passed.destroy());
    passed.on('error', () => resolve(undefined));
    passed.end(body);
  });
}
