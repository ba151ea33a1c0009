import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { options, play } from '../integration/agent/world.ts';
import { laptop, running, type ServerFolder, serverFolder } from '../postgres/server/served.ts';
import { runSql } from '../postgres/support/database.ts';
import { startedTemporal } from './jobs.ts';
import { NAMESPACE, type TemporalServer } from './temporal-server.ts';

/** The real identity provider, gateway and paper broker; PostgreSQL and Temporal. */
describe.runIf(inject('temporalBinary') !== undefined)('a server and a worker with Temporal', () => {
  let temporal: TemporalServer;
  let folder: ServerFolder;
  let run: ReturnType<typeof running>;
  beforeAll(async () => {
    [folder, temporal] = await Promise.all([serverFolder(), startedTemporal()]);
    const { config } = folder.places;
    const settings = JSON.parse(readFileSync(config, 'utf8'));
    const jobs = { temporal: { address: temporal.address, namespace: NAMESPACE } };
    writeFileSync(config, JSON.stringify({ ...settings, jobs }));
    run = running(folder);
    await Promise.all([run.server(), run.worker()]);
  });
  afterAll(async () => {
    await run?.stop();
    await folder?.remove();
    await temporal?.remove();
  });

  it('take an order from a sentence to the phone to a fill', async () => {
    const { agent } = await laptop(folder);
    const [{ result }] = await Promise.all([
      play(agent.run({ prompt: 'buy 5 AAPL' }, options())),
      folder.tap('approve'),
    ]);
    expect(result).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'AAPL', qty: '5', status: 'filled' }],
    });
    const ours = folder.sandbox.broker.book().filter(({ client_order_id }) => /^ta-/.test(client_order_id));
    expect(ours).toHaveLength(1);
    expect(run.told.filter((line) => line.startsWith('server: '))).toEqual([]);
    // It was Temporal that had it done.
    expect(await temporal.executions(`trade-agent/default/run/alice|${result.thread}`)).toBeGreaterThan(0);
    const [left] = await runSql(folder.database.superuser, 'SELECT count(*)::int AS jobs FROM trade_agent_jobs.job');
    expect(left?.rows).toEqual([{ jobs: 0 }]);
  });
});
