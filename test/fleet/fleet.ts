import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Figures, GatewayLoad } from '../load/gateway-process.ts';
import { type LoadGateway, memberFlags } from '../load/world.ts';
import { startBalancer } from './balancer.ts';
import { type Breakable, breakable, endAll, heard, type Member } from './processes.ts';

/** Several gateways over one database, behind one address. Any of them can be killed, or made to stand still. */
export interface Fleet extends LoadGateway, Breakable {
  /** The processes of those that are there now. */
  pids(): number[];
  /** Each process's memory on the heap after collections, in bytes. */
  heaps(): Promise<number[]>;
  /** Whether the provider's pings get lost from now on. */
  losePings(areLost: boolean): void;
}

const SCRIPT = fileURLToPath(new URL('../load/gateway-process.ts', import.meta.url));

/** @param where the database, and the tenant */
export async function startFleet(count: number, where: GatewayLoad['postgres']): Promise<Fleet> {
  const members: Member[] = [];
  let arePingsLost = false;
  const balancer = await startBalancer(() => members.map(({ port }) => port), {
    isLost: (path) => arePingsLost && path.endsWith('/ciba/ping'),
  });
  let options: GatewayLoad | undefined;
  let isClosed = false;
  const start = async (index: number) => {
    const member = await startMember();
    member.child.send({ options });
    await heard(member.child);
    members[index] = member;
  };
  return {
    url: balancer.url,
    ...breakable(members, count, start),
    pids: () => members.map(({ child }) => child.pid ?? 0),
    heaps: () =>
      Promise.all(
        members.map(async ({ child }) => {
          // Finalizers run between collections, and what they release is collected only by the next.
          const readings: number[] = [];
          for (let n = 0; n < 4; n++) {
            child.send('collected');
            readings.push(((await heard(child)) as Figures).heap);
          }
          return Math.min(...readings);
        }),
      ),
    losePings: (areLost) => {
      arePingsLost = areLost;
    },
    async open(given) {
      options = { ...given, resource: balancer.url, ...(where && { postgres: where }) };
      for (let index = 0; index < count; index++) await start(index);
    },
    figures: () => Promise.reject(new Error('each of several has its own')),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await endAll(members);
      await balancer.close();
    },
  };
}

async function startMember(): Promise<Member> {
  const child = fork(SCRIPT, [], {
    execArgv: memberFlags(),
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
  });
  const { port } = new URL(String(await heard(child)));
  return { child, port: Number(port) };
}
