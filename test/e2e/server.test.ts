import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningWorker } from '../../src/app/server/serve-worker.ts';
import { type ServerFolder, serverFolder } from '../postgres/server/served.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { type Running, startCommand } from './world.ts';

const programs = postgresPrograms();

/** The built program as an operator and a person run it: a server, workers, and a laptop that knows its address alone. */
describe.runIf(programs !== undefined)('a server of one’s own', () => {
  let cluster: Cluster;
  let folder: ServerFolder;
  const started: Running[] = [];
  beforeAll(async () => {
    cluster = await startCluster(programs ?? '');
    folder = await serverFolder(async () => {
      const superuser = cluster.address(SUPERUSER, 'postgres');
      await runSql(superuser, 'CREATE ROLE e2e LOGIN CREATEROLE', 'CREATE DATABASE e2e OWNER e2e');
      return {
        owner: cluster.address('e2e', 'e2e'),
        superuser: cluster.address(SUPERUSER, 'e2e'),
        drop: async () => undefined,
      };
    });
  });
  afterAll(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await Promise.all(started.map(({ finished }) => finished));
    await folder.remove();
    await cluster.remove();
  });

  /** Starts one that serves, and waits until it does. */
  const serve = async <Ready>(name: string, args: readonly string[]): Promise<Running & { ready: Ready }> => {
    const file = join(folder.folder, `${name}.ready`);
    const env = { ...folder.env, TRADE_AGENT_HOME: join(folder.folder, name) };
    const running = startCommand([...args, '--home', folder.places.home, '--ready-file', file], {
      env,
      endless: true,
    });
    started.push(running);
    await expect.poll(() => existsSync(file), { timeout: 30_000 }).toBe(true);
    return { ...running, ready: JSON.parse(readFileSync(file, 'utf8')) as Ready };
  };
  const laptop = (...args: string[]) =>
    startCommand(args, { env: { TRADE_AGENT_HOME: join(folder.folder, 'laptop') } });
  const atLaptop = (...args: string[]) => laptop(...args, '--profile', 'work');
  const stateOfRuns = async () =>
    (
      await runSql(folder.database.superuser, "SELECT state, epoch FROM trade_agent_state.runs WHERE state <> 'ended'")
    )[0]?.rows;

  it('tells of prices, and goes on with a run whose worker is killed, and fills one order', async () => {
    const server = await serve('server', ['server', '--port', String(folder.port)]);
    const first = await serve<RunningWorker>('first', ['worker']);
    const added = laptop('profile', 'add', 'work', '--server', folder.address, '--credential-store', 'file');
    expect((await added.finished).code).toBe(0);
    const login = atLaptop('login');
    const [, code = ''] = await login.waitFor(/([A-Z0-9]{4}-[A-Z0-9]{4})/);
    await folder.phone.completeDevice('alice', code);
    expect((await login.finished).code).toBe(0);

    // What they are told of is the server's: nothing of it is on this machine.
    const said = async (...args: string[]) => {
      const ended = await atLaptop(...args).finished;
      expect(ended.code, ended.stderr).toBe(0);
      return ended.stdout;
    };
    expect(await said('notices', 'add', 'push', 'ntfy', 'topic=alice')).toContain('push sends notices to alice');
    expect(await said('alert', 'add', 'AAPL<1', '--schedule', 'close')).toContain('The server checks half an hour');
    expect(JSON.parse(await said('alert', 'list', '--output', 'json'))).toMatchObject({
      ...{ alerts: [{ name: 'aapl-below-1' }], file: null, looked_at_by: ['alerts'], told_by: ['push'] },
    });
    expect(await said('run', 'what alerts do I have?')).toContain('aapl-below-1');
    expect(await said('alert', 'remove', 'AAPL')).toContain('removed (when');
    expect(await said('notices', 'remove', 'push')).toContain('Removed channel push');
    expect(await said('notices')).toContain('No channels');

    folder.sandbox.faults.set('slow_answers', 2);
    const run = atLaptop('run', 'buy 5 AAPL', '--output', 'json');
    started.push(run);
    await expect.poll(stateOfRuns, { timeout: 30_000 }).toEqual([{ state: 'running', epoch: 1 }]);
    process.kill(first.ready.pid, 'SIGKILL');
    const killed = Date.now();
    await serve('second', ['worker']);
    await folder.tap('approve');
    expect(Date.now() - killed).toBeLessThan(20_000);
    const { code: exit, stdout } = await run.finished;
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'AAPL', status: 'filled' }],
    });
    expect(exit).toBe(0);
    const ours = folder.sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id));
    expect(ours).toHaveLength(1);

    server.child.kill('SIGTERM');
    expect((await server.finished).code).toBe(0);
  });
});
