import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RequestLogEntry } from '../../src/gateway/auth/authenticator.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { migrateSchema } from '../../src/store/postgres/migrate.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { openDatabase } from '../../src/store/postgres/open-database.ts';
import { appRole } from '../../src/store/postgres/schema.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { followEvents } from '../../src/tools/gateway/follow-events.ts';
import { createGatewayClient } from '../../src/tools/gateway/gateway-client.ts';
import { type ForeignWorld, startForeignWorld } from '../integration/approval/foreign-world.ts';
import { impatientClock } from '../integration/hasty-clock.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from './support/cluster.ts';
import { newTenant, runSql, withPostgres } from './support/database.ts';

withPostgres('a gateway whose database is away', () => {
  let cluster: Cluster;
  let database: TenantDatabase;
  let world: ForeignWorld;
  const log: RequestLogEntry[] = [];
  beforeAll(async () => {
    cluster = await startCluster(postgresPrograms() ?? '');
    const superuser = cluster.address(SUPERUSER, 'postgres');
    await migrateSchema(superuser, gatewaySchema);
    await runSql(superuser, `CREATE ROLE app LOGIN IN ROLE ${appRole(gatewaySchema.name)}`);
    const address = cluster.address('app', 'postgres');
    database = await openDatabase({ address, schema: gatewaySchema, tenant: newTenant() });
    world = await startForeignWorld({
      stores: await postgresGatewayStores(database, createAuthReqIdSeal('of the gateway')),
      sleep: impatientClock.sleep,
      log: (entry) => void log.push(entry),
      onError: () => undefined,
    });
  });
  afterAll(async () => {
    await world.close();
    await database.close();
    await cluster.remove();
  });
  const alice = () => world.agent('alice', 'trade-agent');

  it('says so to who waits for an answer, ends what streams with a line in its log, and goes on once it is back', async () => {
    const printed = [
      vi.spyOn(console, 'error').mockReturnValue(),
      vi.spyOn(process.stderr, 'write').mockReturnValue(true),
    ];
    const order = (qty: string) => ({ kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty } });
    const { id } = (await alice().propose(order('1'), 'one')).body;
    const followed: string[] = [];
    const standing: boolean[] = [];
    const left = new AbortController();
    const fetched = async (url: string, init: RequestInit) => {
      const token = await world.issuer.mint({
        claims: { sub: 'alice', client_id: 'trade-agent', scope: 'orders:read' },
      });
      return await fetch(url, {
        ...init,
        headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` },
      });
    };
    const following = followEvents(createGatewayClient({ profile: { gateway: world.url }, fetch: fetched }), {
      clock: impatientClock,
      signal: left.signal,
      changed: (proposal) => followed.push(proposal.id),
      onLive: (isLive) => standing.push(isLive),
    });
    await expect.poll(() => standing).toContain(true);
    const waiting = alice().send('GET', `/v1/proposals/${id}?wait=5`);
    await expect.poll(() => world.issuer.questions.length).toBe(1);
    await cluster.stop('immediate');
    const refused = await waiting;
    expect([refused.status, refused.headers.get('retry-after'), refused.body.code]).toEqual([
      ...[503, '5', 'store_unavailable'],
    ]);
    const broken = () => log.filter(({ status, code }) => status === 200 && code !== undefined);
    await expect.poll(broken).toMatchObject([{ path: '/v1/events', code: 'store_unavailable', sub: 'alice' }]);
    await expect.poll(() => standing).toContain(false);
    await cluster.start();
    await expect.poll(() => standing.at(-1), { timeout: 20_000 }).toBe(true);
    const next = await alice().propose(order('2'), 'two');
    expect(next.status).toBe(201);
    await expect.poll(() => followed).toContain(next.body.id);
    left.abort();
    await following;
    expect(log.filter(({ status }) => status === 500)).toEqual([]);
    for (const spy of printed) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});
