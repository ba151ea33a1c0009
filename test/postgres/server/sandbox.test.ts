import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkJson } from '../../e2e/output-schemas.ts';
import { startCollector } from '../../fixtures/trace-collector.ts';
import { options, play } from '../../integration/agent/world.ts';
import { withPostgres } from '../support/database.ts';
import { laptop, running, type ServerFolder, serverFolder } from './served.ts';

/** The real identity provider, gateway and paper broker, and a laptop that has the server's address alone. */
withPostgres('a server and a worker, on the sandbox', () => {
  let folder: ServerFolder;
  let run: ReturnType<typeof running>;
  let metrics: (string | undefined)[];
  let collector: Awaited<ReturnType<typeof startCollector>>;
  beforeAll(async () => {
    collector = await startCollector();
    folder = await serverFolder();
    const telemetry = { metrics_port: 0, traces: collector.url };
    writeFileSync(folder.places.config, JSON.stringify({ ...folder.settings, telemetry }));
    run = running(folder);
    const [{ metrics: ofServer, ...server }, { metrics: ofWorker, ...worker }] = await Promise.all([
      run.server(),
      run.worker(),
    ]);
    metrics = [ofServer, ofWorker];
    // As the commands print them.
    checkJson(JSON.stringify({ schema: 'trade-agent.server/1', ...server }));
    checkJson(JSON.stringify({ schema: 'trade-agent.worker/1', ...worker }));
    checkJson(JSON.stringify({ schema: 'trade-agent.server-migrate/1', ...folder.migrated }));
  });
  afterAll(async () => {
    await run.stop();
    await folder.remove();
    await collector.close();
  });

  it('take an order from a sentence to the phone to a fill', async () => {
    const { agent } = await laptop(folder);
    const [{ result, events }] = await Promise.all([
      play(agent.run({ prompt: 'buy 5 AAPL' }, options())),
      folder.tap('approve'),
    ]);
    expect(result).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'AAPL', qty: '5', status: 'filled' }],
    });
    expect(events.filter(({ type }) => type === 'notice')).toEqual([]);
    expect(await agent.threads()).toMatchObject([{ thread: result.thread, status: 'done' }]);
    const health = async (path: string) => {
      const response = await fetch(new URL(path, metrics[1]));
      return [response.status, await response.json()];
    };
    expect(await health('/healthz')).toEqual([200, { status: 'ok' }]);
    expect(await health('/readyz')).toEqual([200, { status: 'ok' }]);
    expect((await fetch(new URL('/anything', metrics[1]))).status).toBe(404);
    expect(run.told.filter((line) => line.startsWith('server: '))).toEqual([]);
    const [ofServer = '', ofWorker = ''] = await Promise.all(
      metrics.map(async (url = '') => await (await fetch(url)).text()),
    );
    expect(ofServer).toMatch(/^http_server_request_duration_count\{[^}]*http_route="\/v1\/agent\/runs"/m);
    expect(ofWorker).toMatch(/^trade_agent_job_duration_count\{[^}]*kind="run",outcome="done"/m);
    expect(ofWorker).toMatch(/^trade_agent_jobs_waiting\{[^}]*kind="run"[^}]*\} 0/m);
    expect(ofWorker).toMatch(/^trade_agent_jobs_dead\{?.* 0$/m);
    for (const told of [ofServer, ofWorker]) expect(told).not.toMatch(/alice|AAPL|th_/);

    // One trace from the laptop's request over the jobs before and after the tap, whichever worker has them.
    const trace = () => collector.traceOf('POST /v1/agent/runs');
    const jobs = () => trace().filter(({ kind, name }) => kind === 5 && name === 'job run');
    await expect.poll(() => jobs().length).toBeGreaterThanOrEqual(2);
    expect(trace().map(({ name, kind }) => `${kind} ${name}`)).toContain(
      `3 POST ${new URL(folder.settings.gateway).hostname}`,
    );
    expect(JSON.stringify(collector.spans)).not.toMatch(/alice|AAPL|th_|eyJ/);
  });
});
