import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Running, startCommand } from '../e2e/world.ts';
import { options, play } from '../integration/agent/world.ts';
import { laptop, running, type ServerFolder, serverFolder } from '../postgres/server/served.ts';
import { runSql } from '../postgres/support/database.ts';
import { startedTemporal } from './jobs.ts';
import { NAMESPACE, type TemporalServer } from './temporal-server.ts';

/** The built worker, beside which Temporal's libraries are installed, or are not. */
describe.runIf(inject('temporalBinary') !== undefined)('the built worker with Temporal', () => {
  let temporal: TemporalServer;
  let folder: ServerFolder;
  let run: ReturnType<typeof running>;
  const started: Running[] = [];
  beforeAll(async () => {
    [folder, temporal] = await Promise.all([serverFolder(), startedTemporal()]);
    const { config } = folder.places;
    const settings = JSON.parse(readFileSync(config, 'utf8'));
    const jobs = { temporal: { address: temporal.address, namespace: NAMESPACE } };
    writeFileSync(config, JSON.stringify({ ...settings, jobs }));
    run = running(folder);
    await run.server();
  });
  afterAll(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await Promise.all(started.map(({ finished }) => finished));
    await run?.stop();
    await folder?.remove();
    await temporal?.remove();
  });

  const worker = (name: string, env: NodeJS.ProcessEnv = {}) => {
    const ready = join(folder.folder, `${name}.ready`);
    const begun = startCommand(['worker', '--home', folder.places.home, '--ready-file', ready], {
      env: { ...folder.env, ...env, TRADE_AGENT_HOME: join(folder.folder, name) },
      endless: true,
    });
    started.push(begun);
    return { ...begun, isReady: () => existsSync(ready) };
  };
  const withLibraries = { NODE_PATH: process.env.NODE_PATH };

  it('says how the libraries are installed where they are not, and ends', async () => {
    const { code, stderr } = await worker('bare').finished;
    expect([code, stderr]).toEqual([2, expect.stringContaining('npm install @temporalio/worker@')]);
  });

  it('killed in the midst of a run leaves it to another, and one order is filled', async () => {
    const first = worker('first', withLibraries);
    await expect.poll(first.isReady, { timeout: 60_000 }).toBe(true);
    folder.sandbox.faults.set('slow_answers', 2);
    const { agent } = await laptop(folder);
    const playing = play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
    const states = async () =>
      (await runSql(folder.database.superuser, 'SELECT state, epoch FROM trade_agent_state.runs'))[0]?.rows;
    await expect.poll(states, { timeout: 30_000 }).toEqual([{ state: 'running', epoch: 1 }]);
    first.child.kill('SIGKILL');
    worker('second', withLibraries);
    const [{ result }] = await Promise.all([playing, folder.tap('approve')]);
    expect(result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL', status: 'filled' }] });
    const ours = folder.sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id));
    expect(ours).toHaveLength(1);
    expect((await states())?.[0]?.epoch).toBeGreaterThan(1);
  });

  it('ends by itself where it is stopped', async () => {
    const [, , second] = started;
    second?.child.kill('SIGTERM');
    expect((await second?.finished)?.code).toBe(0);
  });
});
