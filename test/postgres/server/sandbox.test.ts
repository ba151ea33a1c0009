import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkJson } from '../../e2e/output-schemas.ts';
import { options, play } from '../../integration/agent/world.ts';
import { withPostgres } from '../support/database.ts';
import { laptop, running, type ServerFolder, serverFolder } from './served.ts';

/** The real identity provider, gateway and paper broker, and a laptop that has the server's address alone. */
withPostgres('a server and a worker, on the sandbox', () => {
  let folder: ServerFolder;
  let run: ReturnType<typeof running>;
  beforeAll(async () => {
    folder = await serverFolder();
    run = running(folder);
    const [server, worker] = await Promise.all([run.server(), run.worker()]);
    checkJson(JSON.stringify({ schema: 'trade-agent.server/1', ...server }));
    checkJson(JSON.stringify({ schema: 'trade-agent.worker/1', ...worker }));
    checkJson(JSON.stringify({ schema: 'trade-agent.server-migrate/1', ...folder.migrated }));
  });
  afterAll(async () => {
    await run.stop();
    await folder.remove();
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
    expect(run.told.filter((line) => line.startsWith('server: '))).toEqual([]);
  });
});
