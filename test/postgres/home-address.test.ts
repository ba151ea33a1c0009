import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createHomeWorld, type HomeWorld, type PairedPhone } from '../e2e/home-world.ts';
import { freePort } from '../free-port.ts';
import { balance } from './support/balance.ts';
import { emptyDatabase, runSql, withPostgres } from './support/database.ts';

interface Moved {
  readonly before: string;
  readonly address: string;
  readonly asked_again: number;
}

withPostgres('a home in two processes', () => {
  let world: HomeWorld;
  let phone: PairedPhone;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let other: string;
  beforeAll(async () => {
    database = await emptyDatabase();
    world = await createHomeWorld();
    await world.init();
    writeFileSync(join(world.home, 'database-url'), database.owner, { mode: 0o600 });
    await world.json('home', 'migrate', '--to', 'postgres', '--url-file', 'database-url');
    other = join(world.folder, 'other-machine');
    cpSync(world.home, other, { recursive: true });
    chmodSync(other, 0o700);
  }, 120_000);
  afterAll(async () => {
    await world.close();
    await database.drop();
  });

  const set = (address: string, home: string) => world.json<Moved>('home', 'address', 'set', address, '--home', home);
  const addressOf = (home: string) =>
    (parse(readFileSync(join(home, 'gateway.yaml'), 'utf8')) as { issuer: string }).issuer;
  const mandates = () => world.json<{ mandates: { id: string; state: string }[] }>('mandates');
  const orders = () => world.sandbox.broker.book().map(({ symbol, qty, status }) => `${symbol} ${qty} ${status}`);
  /** Serves both folders behind one address. @returns functions that stop them */
  const serve = async (address: string) => {
    const ports = [await freePort(), await freePort()] as const;
    const balancer = await balance(address, ports);
    const first = await world.serve(world.home, '--listen', `127.0.0.1:${ports[0]}`);
    const second = await world.serve(other, '--listen', `127.0.0.1:${ports[1]}`);
    return { first, second, close: () => balancer.close() };
  };

  it('moves with a paired phone, an open proposal and a mandate, once all of them are stopped', {
    timeout: 240_000,
  }, async () => {
    let served = await serve(world.address);
    phone = await world.pair();
    await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
    await world.login(phone);
    const until = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
    const terms = ['--per-order', '400', '--total', '800', '--orders', '2', '--until', until];
    const asked = world.start('mandates', 'add', 'KO', ...terms);
    await expect.poll(() => world.waiting(phone), { timeout: 30_000 }).toHaveLength(1);
    await world.approve(phone);
    expect((await asked.finished).code).toBe(0);
    const granted = await mandates();
    expect(granted.mandates).toMatchObject([{ state: 'active' }]);
    const thread = await world.propose('buy 2 NVDA');

    const address = `http://localhost:${await freePort()}`;
    await served.first();
    const refused = await world.cli('home', 'address', 'set', address, '--home', world.home);
    expect([refused.code, refused.stderr]).toEqual([12, expect.stringContaining('still runs on another machine')]);
    // Nothing was changed: the process that still runs answers at the former address.
    expect(await world.waiting(phone)).toHaveLength(1);
    await served.second();
    served.close();

    expect(await set(address, world.home)).toMatchObject({ before: world.address, address, asked_again: 1 });
    // The other machine has the former address until it is told: it neither serves it nor pairs a phone with it.
    for (const command of ['serve', 'pair']) {
      const { code, stderr } = await world.cli('home', command, '--home', other);
      expect([command, code, stderr]).toEqual([command, 2, expect.stringContaining(`has moved to ${address}`)]);
    }
    expect(await set(address, other)).toMatchObject({ before: world.address, address, asked_again: 0 });
    expect([world.home, other].map(addressOf)).toEqual([address, address]);

    served = await serve(address);
    try {
      await expect(fetch(`${world.address}/phone`)).rejects.toThrow();
      phone = await world.pair();
      for (const key of ['issuer', 'gateway'])
        expect((await world.cli('config', 'set', `profiles.home.${key}`, address)).code).toBe(0);
      await world.login(phone);
      // A machine that is told the same again ends no sign-in.
      await served.second();
      expect(await set(address, other)).toMatchObject({ asked_again: 0 });
      expect(await mandates()).toEqual(granted);
      const covered = await world.json<{ orders: object[] }>('run', 'buy 1 KO', '--approval', 'mandate');
      expect(covered.orders).toMatchObject([{ status: 'filled' }]);
      await expect.poll(() => world.waiting(phone), { timeout: 30_000 }).toHaveLength(1);
      expect((await world.approve(phone)).status).toBe(200);
      const { orders: approved } = await world.json<{ orders: object[] }>('resume', thread);
      expect(approved).toMatchObject([{ status: 'filled' }]);
      expect(orders().sort()).toEqual(['KO 1 filled', 'NVDA 2 filled']);
      const { receipts } = await world.json<{ receipts: { id: string }[] }>('receipts');
      expect(receipts.length).toBeGreaterThan(1);
      for (const { id } of receipts) {
        const file = join(world.folder, `${id}.json`);
        await world.json('receipts', 'export', id, '--to', file);
        expect((await world.cli('receipts', 'verify', file)).code, id).toBe(0);
      }
      expect((await world.cli('gateway', 'audit', 'verify', '--home', world.home)).code).toBe(0);
    } finally {
      await served.first();
      served.close();
    }
  });

  it('ends a process that finds at a reconnect that its home has moved', { timeout: 60_000 }, async () => {
    const served = world.start('home', 'serve', '--home', world.home, '--listen', `127.0.0.1:${await freePort()}`);
    await served.waitFor(/Ctrl-C/);
    const elsewhere = 'https://home.example';
    await runSql(
      database.superuser,
      `UPDATE trade_agent_home.served_address SET address = '${elsewhere}'`,
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    const { code, stderr } = await served.finished;
    expect([code, stderr]).toEqual([2, expect.stringContaining(`has moved to ${elsewhere}`)]);
  });
});
