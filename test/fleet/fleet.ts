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
  balancer.serve((request, response) => {
    next = (next + 1) % members.length;
    pass(request, response, members[next]?.port ?? 0);
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

/** Hands a request on as it is, and its answer back; 502 where there is none. */
function pass(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url, headers } = request;
  const passed = send({ agent, host: '127.0.0.1', port, method, path: url, headers, timeout: ANSWER_MS });
  passed.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.once('error', () => response.destroy());
  });
  passed.once('timeout', () => passed.destroy());
  passed.once('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502, { 'content-type': 'application/json' }).end('{}');
  });
  response.once('close', () => passed.destroy());
  request.pipe(passed);
}
