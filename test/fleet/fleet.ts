import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/machine/clock.ts';
import { listenOnLoopback } from '../../src/net/http-server.ts';
import type { GatewayLoad } from '../load/gateway-process.ts';
import { type LoadGateway, memberFlags } from '../load/world.ts';

/** Several gateways over one database, behind one address. Any of them can be killed, or made to stand still. */
export interface Fleet extends LoadGateway {
  readonly count: number;
  /** The processes of those that are there now. */
  pids(): number[];
  /** Ends one as a power cut does, and starts another in its place. */
  kill(index: number): Promise<void>;
  /** Ends one as an operator does, once what it has in hand is given back, and starts another program's in its place. */
  replace(index: number, program: Program): Promise<void>;
  /** Has one stand still for so long, while it is asked as ever. */
  standStill(index: number, ms: number): Promise<void>;
}

/** The folder of a program's sources: this one's, or an earlier version's. */
export type Program = string;

export const THIS_PROGRAM: Program = fileURLToPath(new URL('../..', import.meta.url));

interface Member {
  readonly program: Program;
  readonly child: ChildProcess;
  readonly port: number;
}

/** The balancer gives up on one that does not answer, as those do that people use. */
const ANSWER_MS = 30_000;

/** @param where the database, and the tenant */
export async function startFleet(
  count: number,
  where: GatewayLoad['postgres'],
  program: Program = THIS_PROGRAM,
): Promise<Fleet> {
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
  const start = async (index: number, itsProgram: Program) => {
    const member = await startMember(itsProgram);
    member.child.send({ options: options && withOwnRecord(options, index) });
    await heard(member.child);
    members[index] = member;
  };
  return {
    url: balancer.url,
    count,
    pids: () => members.map(({ child }) => child.pid ?? 0),
    async open(given) {
      options = { ...given, resource: balancer.url, ...(where && { postgres: where }) };
      for (let index = 0; index < count; index++) await start(index, program);
    },
    figures: () => Promise.reject(new Error('each of several has its own')),
    async kill(index) {
      const { child, program: itsProgram } = members[index] as Member;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      await start(index, itsProgram);
    },
    async replace(index, another) {
      await end(members[index] as Member);
      await start(index, another);
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
      await Promise.all(members.map(end));
      await balancer.close();
    },
  };
}

/** Each machine has the record in a file of its own, which the next gateway on it goes on with. */
export const recordFile = (index: number): string => `audit-${index}.jsonl`;

function withOwnRecord(options: GatewayLoad, index: number): GatewayLoad {
  const { approval } = options;
  if (approval === undefined) return options;
  return {
    ...options,
    approval: { ...approval, auditFile: join(dirname(approval.auditFile), recordFile(index)) },
  };
}

/** As it ends at SIGTERM. */
async function end({ child }: Member): Promise<void> {
  const ended = once(child, 'exit');
  child.send('close');
  await ended;
}

async function startMember(program: Program): Promise<Member> {
  const child = fork(join(program, 'test/load/gateway-process.ts'), [], {
    execArgv: memberFlags(),
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
  });
  const { port } = new URL(String(await heard(child)));
  return { program, child, port: Number(port) };
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
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
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
