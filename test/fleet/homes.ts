import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { resolveProfile } from '../../src/config/resolve-profile.ts';
import type { AgentServer } from '../../src/home/identity-provider/servers/agent-server.ts';
import type { SandboxSeed } from '../../src/sandbox/sandbox-home.ts';
import { startCommand } from '../e2e/world.ts';
import { freePort } from '../free-port.ts';
import { atOnce } from '../load/many-proposals.ts';
import { type LoadPerson, signInPerson } from '../load/people.ts';
import type { Cluster } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { startBalancer } from './balancer.ts';
import type { FleetBroker } from './broker.ts';
import { type Link, startLink } from './links.ts';
import { type PersonPhone, pairPhone } from './phone.ts';
import { breakable, endAll, type Member, startServing } from './processes.ts';

/** Commands that run at the same time. */
const LANES = 3;
const PLENTY = { open: 1_000, hour: 10_000 };
const DATABASE = 'home';

/** Somebody who trades, with the session of their agent and their phone. */
export type Trader = LoadPerson & { readonly phone: PersonPhone };

export type Homes = Awaited<ReturnType<typeof prepareHomes>>;

interface HomesOptions {
  readonly cluster: Pick<Cluster, 'address' | 'host'>;
  readonly superuser: string;
  readonly broker: FleetBroker;
  readonly count: number;
}

/** Makes up people, each with a key pair at the broker. */
export const fleetUsers = (count: number): SandboxSeed['users'] =>
  Array.from({ length: count }, (_, n) => ({
    username: `person-${n + 1}`,
    name: `Person ${n + 1}`,
    email: `person-${n + 1}@example.com`,
    broker_password: randomBytes(12).toString('hex'),
    broker_key: {
      key_id: `PK${randomBytes(9).toString('hex').toUpperCase()}`,
      secret: randomBytes(24).toString('base64url'),
    },
  }));

/**
 * One home on PostgreSQL, run by several processes behind one address, as its operator makes it: by the public commands and
 * the documented settings. Each process reaches the database by a connection of its own that can break, and all reach
 * the broker by another.
 */
export async function prepareHomes({ cluster, superuser, broker, count }: HomesOptions) {
  const { users } = broker;
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-fleet-'));
  const home = join(folder, 'home');
  const env = { HOME: folder, TRADE_AGENT_HOME: join(folder, 'operator') };
  const members: Pick<Member, 'child'>[] = [];
  const address = `http://localhost:${await freePort()}`;
  const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
  const balancer = await startBalancer(() => ports, { port: Number(new URL(address).port) });
  const brokerLink = await startLink({ port: broker.port });
  const databaseLinks = await Promise.all(
    Array.from({ length: count }, () => startLink({ path: join(cluster.host, '.s.PGSQL.5432') })),
  );
  const run = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await startCommand([...args, '--home', home, '--output', 'json'], { env })
      .finished;
    if (code !== 0) throw new Error(`"${args.join(' ')}" ended with ${code}: ${stdout}${stderr}`);
    return JSON.parse(stdout) as T;
  };
  const machine = (index: number) => join(folder, `machine-${index}`);
  const start = async (index: number) => {
    members[index] = await startServing({
      args: ['home', 'serve', '--home', machine(index), '--listen', `127.0.0.1:${ports[index]}`],
      env,
      readyFile: join(folder, `ready-${index}`),
      logFile: logFile(index),
    });
  };
  const logFile = (index: number) => join(folder, `machine-${index}.log`);
  return {
    address,
    ...breakable(members, count, start),
    links: [...databaseLinks, brokerLink] as readonly Link[],
    /** @param servers the servers that run people's agents */
    async open(servers: readonly AgentServer[]): Promise<void> {
      await createHome({ home, folder, address, brokerLink, users, servers }, run);
      await runSql(
        superuser,
        `CREATE ROLE ${DATABASE} LOGIN CREATEROLE`,
        `CREATE DATABASE ${DATABASE} OWNER ${DATABASE}`,
      );
      const urlFile = join(home, 'database-url');
      writeFileSync(urlFile, cluster.address(DATABASE, DATABASE), { mode: 0o600 });
      await run('home', 'migrate', '--to', 'postgres', '--url-file', 'database-url');
      for (const [index, { port }] of databaseLinks.entries()) {
        cpSync(home, machine(index), { recursive: true });
        chmodSync(machine(index), 0o700);
        const url = `postgresql://${DATABASE}@127.0.0.1:${port}/${DATABASE}`;
        writeFileSync(join(machine(index), 'database-url'), url, { mode: 0o600 });
        await start(index);
      }
    },
    /** Pairs everybody's phone, and signs their agents in. */
    people: (): Promise<Trader[]> =>
      atOnce(
        users,
        async ({ username }) => {
          const { url } = await run<{ url: string }>('home', 'pair', '--user', username);
          const phone = await pairPhone(url);
          const profile = resolveProfile({ profiles: {} }, undefined, {
            ...{ issuer: address, gateway: address, phone: `${address}/phone` },
          });
          const completeDevice = async (_: string, code: string) => phone.completeDevice(code);
          const person = await signInPerson(username, {
            ...{ folder, profile, gateway: address, phone: { completeDevice } },
          });
          return { ...person, phone };
        },
        LANES,
      ),
    /** Runs a command of the home's operator. */
    run,
    /**
     * Signs a person in on a machine of their own. Returns a function that proposes by `trade-agent run` there, and the id of
     * the proposal, or undefined if the command was ended by a fault.
     */
    async command({ phone }: Pick<Trader, 'phone'>): Promise<(prompt: string) => Promise<string | undefined>> {
      const own = { HOME: folder, TRADE_AGENT_HOME: join(folder, 'laptop'), TRADE_AGENT_PROFILE: 'home' };
      const at = (...args: string[]) => startCommand(args, { env: own });
      const added = ['profile', 'add', 'home', '--home', address, '--credential-store', 'file'];
      const { code: exit, stderr } = await at(...added).finished;
      if (exit !== 0) throw new Error(stderr);
      const login = at('login');
      const [code] = await login.waitFor(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
      await phone.completeDevice(code);
      await login.finished;
      return async (prompt) => {
        const { code, stdout } = await at('run', prompt, '--approval', 'detach', '--output', 'json').finished;
        return code === 5 ? (JSON.parse(stdout) as { approvals: { id: string }[] }).approvals[0]?.id : undefined;
      };
    },
    /** How often each error was logged, by its message without what differs. */
    errors(): ReadonlyMap<string, number> {
      const counts = new Map<string, number>();
      for (const index of ports.keys())
        for (const line of readFileSync(logFile(index), 'utf8').split('\n')) {
          if (!line.includes('"level":"error"')) continue;
          const { msg } = JSON.parse(line) as { msg: string };
          const text = msg.replaceAll(/[\w-]*\d[\w-]*/g, '…').slice(0, 160);
          counts.set(text, (counts.get(text) ?? 0) + 1);
        }
      return counts;
    },
    async close(): Promise<void> {
      await endAll(members);
      await balancer.close();
      await Promise.all([brokerLink, ...databaseLinks].map((link) => link.close()));
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface NewHome {
  readonly users: SandboxSeed['users'];
  readonly home: string;
  readonly folder: string;
  readonly address: string;
  readonly brokerLink: Link;
  readonly servers: readonly AgentServer[];
}

async function createHome(
  { home, folder, address, brokerLink, users, servers }: NewHome,
  run: (...args: string[]) => Promise<unknown>,
): Promise<void> {
  const keyFile = ({ username, broker_key: { key_id, secret } }: SandboxSeed['users'][number]) => {
    const file = join(folder, `${username}.keys`);
    writeFileSync(file, `${key_id}\n${secret}\n`, { mode: 0o600 });
    return file;
  };
  const [owner, ...others] = users;
  if (owner === undefined) throw new Error('nobody trades');
  await run(
    ...['home', 'init', '--yes', '--address', address, '--name', owner.name, '--user', owner.username],
    ...['--broker-key-file', keyFile(owner), '--broker-url', `http://127.0.0.1:${brokerLink.port}`],
  );
  await atOnce(
    others,
    async (user) => {
      await run('home', 'user', 'add', user.name, '--user', user.username);
      await run('home', 'broker', 'set', '--user', user.username, '--broker-key-file', keyFile(user));
    },
    LANES,
  );
  // Of a new home's limits the size of an order alone: these orders go out at any hour, many at once and much alike.
  edit(join(home, 'limits.yaml'), (limits) =>
    limits.setIn(['accounts', '*'], { max_order_notional: limits.getIn(['accounts', '*', 'max_order_notional']) }),
  );
  edit(join(home, 'gateway.yaml'), (gateway) => {
    gateway.setIn(['approval', 'quotas'], { own: PLENTY, other: PLENTY });
    // A few people stand for many.
    gateway.set('rates', { reads: 'off', receipts: 'off', streams: 'off' });
  });
  if (servers.length > 0) edit(join(home, 'home.yaml'), (settings) => settings.set('servers', servers));
}

function edit(file: string, change: (document: ReturnType<typeof parseDocument>) => unknown): void {
  const document = parseDocument(readFileSync(file, 'utf8'));
  change(document);
  writeFileSync(file, String(document), { mode: 0o600 });
}
