import { chmodSync, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHomeWorld, type HomeWorld, type PairedPhone } from '../e2e/home-world.ts';
import { freePort } from '../free-port.ts';
import { signInByHttp } from '../integration/home/http-browser.ts';
import { balance } from './support/balance.ts';
import { emptyDatabase, withPostgres } from './support/database.ts';

interface Moved {
  readonly database: 'sqlite' | 'postgres';
  readonly tables: number;
  readonly rows: number;
}

withPostgres('a home on PostgreSQL', () => {
  let world: HomeWorld;
  let phone: PairedPhone;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let backup: string;
  let passphrase: string;
  let users: unknown;
  beforeAll(async () => {
    database = await emptyDatabase();
    world = await createHomeWorld();
    [backup, passphrase] = [join(world.folder, 'home.backup'), join(world.folder, 'passphrase')];
    await world.init();
    const stop = await world.serve();
    phone = await world.pair();
    await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
    await world.login(phone);
    await world.propose('buy 1 AAPL');
    await stop();
  }, 120_000);
  afterAll(async () => {
    await world.close();
    await database.drop();
  });

  const book = () => world.sandbox.broker.book();
  it('runs in two processes that share everything, and one of them may die', { timeout: 240_000 }, async () => {
    const url = join(world.home, 'database-url');
    writeFileSync(url, database.owner, { mode: 0o600 });
    const moved = await world.json<Moved>('home', 'migrate', '--to', 'postgres', '--url-file', 'database-url');
    expect(moved).toMatchObject({ database: 'postgres' });
    expect(moved.rows).toBeGreaterThan(20);

    const other = join(world.folder, 'other-machine');
    cpSync(world.home, other, { recursive: true });
    chmodSync(other, 0o700);
    const ports = [await freePort(), await freePort()] as const;
    const balancer = await balance(world.address, ports);
    const first = await world.serve(world.home, '--listen', `127.0.0.1:${ports[0]}`);
    const second = await world.serve(other, '--listen', `127.0.0.1:${ports[1]}`);
    try {
      // The order that was proposed before the move is approved after it.
      expect((await world.approve(phone)).ok).toBe(true);
      await expect
        .poll(() => book().map(({ qty, status }) => [qty, status]), { timeout: 30_000 })
        .toEqual([['1', 'filled']]);

      await world.propose('buy 2 AAPL');
      await first('SIGKILL');
      expect((await world.approve(phone)).ok).toBe(true);
      await expect.poll(() => book().length, { timeout: 60_000 }).toBe(2);
    } finally {
      await second();
      balancer.close();
    }
    writeFileSync(passphrase, 'amber bison cedar delta', { mode: 0o600 });
    const saved = await world.json<{ files: string[] }>('home', 'backup', backup, '--passphrase-file', passphrase);
    expect(saved.files).toEqual(expect.arrayContaining(['gateway.db', 'provider.db', 'limits.yaml', 'seal.key']));
    users = await world.json('home', 'user', 'list');
    expect(saved.files.filter((name) => /moved|database-url/.test(name))).toEqual([]);

    const back = await world.json<Moved>('home', 'migrate', '--to', 'sqlite');
    expect(back).toMatchObject({ database: 'sqlite' });
    const stop = await world.serve();
    await world.propose('sell 1 AAPL');
    expect((await world.approve(phone)).ok).toBe(true);
    await expect.poll(() => book().length, { timeout: 30_000 }).toBe(3);
    await stop();
  });

  it('was backed up, and is restored as a home on SQLite, which moves to PostgreSQL again', {
    timeout: 120_000,
  }, async () => {
    const restored = join(world.folder, 'restored');
    await world.json('home', 'restore', backup, '--passphrase-file', passphrase, '--home', restored);
    expect(await world.json('home', 'user', 'list', '--home', restored)).toEqual(users);
    const verified = await world.cli('gateway', 'audit', 'verify', '--home', restored);
    expect(verified).toMatchObject({ code: 0 });
    const empty = await emptyDatabase();
    try {
      const url = join(world.folder, 'empty-url');
      writeFileSync(url, empty.owner, { mode: 0o600 });
      await world.json('home', 'migrate', '--home', restored, '--to', 'postgres', '--url-file', url);
      const stop = await world.serve(restored);
      // The sign-ins have ended, and the phone's key is valid.
      const browser = await signInByHttp(world.address, phone.authenticator);
      const signedIn = { ...phone, browser };
      await world.login(signedIn);
      await world.propose('buy 1 MSFT');
      expect((await world.approve(signedIn)).ok).toBe(true);
      await expect.poll(() => book().length, { timeout: 30_000 }).toBe(4);
      await stop();
    } finally {
      await empty.drop();
    }
  });
});
