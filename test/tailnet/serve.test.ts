import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startCommand } from '../e2e/world.ts';
import { folderOfSuite } from '../folders.ts';
import { freePort } from '../free-port.ts';
import { endServers, findMissing, type Machine, startMachine, startTestControl } from './tailnet.ts';

const missing = await findMissing('testcontrol');
const NAME = 'nas.tail1234.ts.net';

/** Tailscale's own control server for tests allows certificates and Funnel, and issues no certificate. */
describe.skipIf(missing !== undefined)('a home in a network that allows certificates and Funnel', () => {
  const folder = folderOfSuite();
  let nas: Machine;
  beforeAll(async () => {
    const network = await startTestControl();
    nas = await startMachine(join(folder, 'nas'));
    // This server takes a machine's own name for the whole one.
    await nas.join(network, NAME);
  });
  afterAll(endServers);

  const serveConfig = async () => JSON.parse((await nas.tailscale('serve', 'status', '--json')).stdout);

  it.each(['serve', 'funnel'] as const)('is served by "tailscale %s" for as long as it runs', async (mode) => {
    const own = join(folder, mode);
    const start = (args: readonly string[], endless = false) =>
      startCommand(args, {
        env: { HOME: own, TRADE_AGENT_HOME: join(own, 'agent'), PATH: `${nas.tools}:${process.env.PATH}` },
        endless,
      });
    const listen = `127.0.0.1:${await freePort()}`;
    const made = await start([
      ...['home', 'init', '--name', 'Ada', '--broker', 'practice', '--yes', '--phone', mode, '--listen', listen],
    ]).finished;
    expect(made).toMatchObject({ code: 0, stderr: expect.not.stringContaining('does not allow') });
    const home = start(['home', 'serve'], true);
    onTestFinished(() => void home.child.kill('SIGKILL'));
    await home.waitFor(new RegExp(`Tailscale serves https://${NAME}`));
    expect(Object.values((await serveConfig()).Foreground)).toEqual([
      {
        TCP: { 443: { HTTPS: true } },
        Web: { [`${NAME}:443`]: { Handlers: { '/': { Proxy: `http://${listen}` } } } },
        ...(mode === 'funnel' ? { AllowFunnel: { [`${NAME}:443`]: true } } : {}),
      },
    ]);
    home.child.kill('SIGTERM');
    expect((await home.finished).code).toBe(0);
    await expect.poll(serveConfig).toEqual({});
  });
});
