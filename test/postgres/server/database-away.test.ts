import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events.ts';
import { createRemoteAgent } from '../../../src/agent/remote/remote-agent.ts';
import type { Session } from '../../../src/auth/session/session.ts';
import { migrateJobs } from '../../../src/jobs/pg-boss/migrate-jobs.ts';
import { migrateSchema } from '../../../src/store/postgres/migrate.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { openDatabase } from '../../../src/store/postgres/open-database.ts';
import { appRole } from '../../../src/store/postgres/schema.ts';
import { problemSchema } from '../../../src/trading/views.ts';
import { profileAt } from '../../integration/agent/session.ts';
import { impatientClock } from '../../integration/hasty-clock.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../support/cluster.ts';
import { newTenant, runSql, type TestDatabase, withPostgres } from '../support/database.ts';
import { type HttpWorld, startHttpWorld, type TestServer } from './http-world.ts';
import { type ServerWorld, startServerWorld } from './server-world.ts';

withPostgres('a server whose database is away', () => {
  let cluster: Cluster;
  let http: HttpWorld;
  let world: ServerWorld;
  let server: TestServer;
  const opened: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    cluster = await startCluster(postgresPrograms() ?? '');
    const superuser = cluster.address(SUPERUSER, 'postgres');
    await migrateSchema(superuser, stateSchema);
    await migrateJobs(superuser);
    await runSql(superuser, `CREATE ROLE app LOGIN IN ROLE ${appRole(stateSchema.name)}`);
    const app = cluster.address('app', 'postgres');
    const open: TestDatabase['open'] = async (tenant = newTenant()) => {
      const database = await openDatabase({ address: app, schema: stateSchema, tenant });
      opened.push(database);
      return database;
    };
    [http, world] = await Promise.all([
      startHttpWorld(),
      startServerWorld({ app, open } as TestDatabase, newTenant(), impatientClock),
    ]);
    server = await http.serve(world);
  });
  afterAll(async () => {
    await http.close();
    await world.close();
    await Promise.all(opened.map((database) => database.close()));
    await cluster.remove();
  });

  it('says so, and when to ask again, and answers as ever once it is back', async () => {
    const threads = () => server.ask('GET', '/v1/agent/threads');
    expect((await threads()).status).toBe(200);
    await cluster.stop('immediate');
    const refused = await threads();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(problemSchema.parse(await refused.json())).toMatchObject({
      ...{ code: 'store_unavailable', detail: 'the server’s database is not responding' },
    });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    await cluster.start();
    await expect.poll(async () => (await threads()).status, { timeout: 20_000 }).toBe(200);
  });

  it('ends the stream of a run with a line in its log, and who reads it goes on from there once it is back', async () => {
    const printed = [
      vi.spyOn(console, 'error').mockReturnValue(),
      vi.spyOn(process.stderr, 'write').mockReturnValue(true),
    ];
    const answered: unknown[] = [];
    const session: Session = {
      profile: { ...profileAt(server.url), server: server.url },
      user: { sub: 'alice-sub', name: undefined, email: undefined },
      async fetch(url, { method = 'GET', headers, body, signal }) {
        const response = await server.ask(method, new URL(url).pathname, {
          headers: headers as Record<string, string>,
          ...(body === undefined ? {} : { body: JSON.parse(String(body)) }),
          ...(signal === undefined || signal === null ? {} : { signal }),
        });
        answered.push([response.status, response.headers.get('retry-after')]);
        return response;
      },
    };
    const first = await world.worker();
    const agent = createRemoteAgent({ session, clock: impatientClock });
    const events: AgentEvent[] = [];
    const running = (async () => {
      const signal = AbortSignal.timeout(25_000);
      for await (const event of agent.run({ prompt: 'buy 5 AAPL' }, { approval: 'wait', signal })) events.push(event);
    })();
    await expect.poll(() => events).toContainEqual(expect.objectContaining({ type: 'approval' }));
    // Ends once the run waits, and what jobs noted is on disk: how long a worker takes that lost it is no part of this.
    await first.close(10_000);
    await runSql(cluster.address(SUPERUSER, 'postgres'), 'CHECKPOINT');
    const broken = () => http.log.filter(({ status, code }) => status === 200 && code !== undefined);
    expect(broken()).toEqual([]);
    await cluster.stop('immediate');
    await expect.poll(broken).toMatchObject([
      {
        method: 'GET',
        path: expect.stringMatching(/events$/),
        code: 'store_unavailable',
        sub: 'alice-sub',
      },
    ]);
    await expect.poll(() => answered).toContainEqual([503, '5']);
    await cluster.start();
    world.phone.decide('AAPL', 'approve');
    await world.worker();
    await running;
    expect(events.at(-1)).toMatchObject({ type: 'result', result: { status: 'done', orders: [{}] } });
    expect(events.filter(({ type }) => type === 'tool_call')).toHaveLength(1);
    expect(answered.filter((one) => ![200, 202, 503].includes((one as number[])[0] ?? 0))).toEqual([]);
    for (const spy of printed) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});
