import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { addServerWrappingKey, createOrShowServerKey, migrateServer } from '../../../src/app/server/server-places.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { appRole } from '../../../src/store/postgres/schema.ts';
import { createHomeWorld, type HomeWorld, type PairedPhone } from '../../e2e/home-world.ts';
import { freePort } from '../../free-port.ts';
import { balance } from '../support/balance.ts';
import { emptyDatabase, runSql, withPostgres } from '../support/database.ts';
import { running } from './served.ts';

/** A home whose data is in PostgreSQL, in two processes, and a server and a worker that have it as their provider. */
withPostgres('a server and a worker, with a home on PostgreSQL', () => {
  let world: HomeWorld;
  let phone: PairedPhone;
  let server: ReturnType<typeof running>;
  const closing: (() => Promise<unknown>)[] = [];
  const atServer = (...args: string[]) => [...args, '--profile', 'work'];

  beforeAll(async () => {
    world = await createHomeWorld();
    const [ofHome, ofServer] = [await emptyDatabase(), await emptyDatabase()];
    closing.push(ofHome.drop, ofServer.drop, () => world.close());
    await world.init();
    const port = await freePort();
    const places = { home: join(world.folder, 'server'), config: join(world.folder, 'server', 'server.yaml') };
    mkdirSync(places.home, { mode: 0o700 });
    const { jwk } = await createOrShowServerKey(places, { show: false, kty: 'EC' });
    const settings = join(world.home, 'home.yaml');
    const document = parseDocument(readFileSync(settings, 'utf8'));
    const address = `http://127.0.0.1:${port}`;
    document.set('servers', document.createNode([{ client_id: 'agents', address, jwks: { keys: [jwk] } }]));
    writeFileSync(settings, String(document), { mode: 0o600 });
    const stop = await world.serve();
    phone = await world.pair();
    await stop();

    const url = join(world.home, 'database-url');
    writeFileSync(url, ofHome.owner, { mode: 0o600 });
    await world.json('home', 'migrate', '--to', 'postgres', '--url-file', 'database-url');
    const other = join(world.folder, 'other-machine');
    cpSync(world.home, other, { recursive: true });
    chmodSync(other, 0o700);
    const ports = [await freePort(), await freePort()] as const;
    const balancer = await balance(world.address, ports);
    closing.push(async () => balancer.close());
    await world.serve(world.home, '--listen', `127.0.0.1:${ports[0]}`);
    await world.serve(other, '--listen', `127.0.0.1:${ports[1]}`);

    const app = new URL(ofServer.owner);
    const login = `${app.pathname.slice(1)}_app`;
    app.searchParams.set('user', login);
    const env = { OWNER_URL: ofServer.owner, SERVER_URL: app.href };
    const served = {
      ...{ address, issuer: world.address, client_id: 'agents', gateway: world.address },
      ...{ database: { url_env: 'SERVER_URL' }, kms: { file: 'wrapping-keys.json' } },
    };
    writeFileSync(places.config, JSON.stringify(served));
    await addServerWrappingKey(places);
    await migrateServer({ env }, places, { url_env: 'OWNER_URL' });
    await runSql(ofServer.superuser, `CREATE ROLE ${login} LOGIN IN ROLE ${appRole(stateSchema.name)}`);
    server = running({ places, env, port });
    closing.push(() => server.stop());
    await Promise.all([server.server(), server.worker()]);
    await world.json('profile', 'add', 'work', '--server', address, '--credential-store', 'file');
    await world.login(phone, 'work');
  }, 180_000);
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  }, 60_000);

  it('fill the order of one sentence once its owner has approved it with a passkey', { timeout: 120_000 }, async () => {
    const run = world.start(...atServer('run', 'buy 1 AAPL', '--output', 'json'));
    await expect.poll(() => world.waiting(phone), { timeout: 60_000 }).toHaveLength(1);
    expect((await world.approve(phone)).ok).toBe(true);
    const { code, stdout, stderr } = await run.finished;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'AAPL', qty: '1', status: 'filled' }],
    });
    expect(world.sandbox.broker.book()).toHaveLength(1);
  });
});
