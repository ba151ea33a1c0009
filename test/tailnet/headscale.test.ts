import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readTailscaleStatus } from '../../src/app/home/tailscale.ts';
import { explainTailscaleOutput } from '../../src/app/home/tailscale-error.ts';
import { startCommand } from '../e2e/world.ts';
import { folderOfSuite } from '../folders.ts';
import { freePort } from '../free-port.ts';
import { endServers, findMissing, type Machine, type Network, startHeadscale, startMachine } from './tailnet.ts';

/** The domain of the certificate that the home has in files. */
const DOMAIN = 'rebinding.dev';
const missing = await findMissing('headscale');
const NAME = `nas.${DOMAIN}`;
const fixture = (kind: 'cert' | 'key') => new URL(`../fixtures/tls/outside-${kind}.pem`, import.meta.url).pathname;

describe.skipIf(missing !== undefined)('a home in a network that Headscale runs', () => {
  const folder = folderOfSuite();
  let network: Network;
  let nas: Machine;
  let phone: Machine;
  beforeAll(async () => {
    network = await startHeadscale(join(folder, 'headscale'), DOMAIN);
    nas = await startMachine(join(folder, 'nas'));
    phone = await startMachine(join(folder, 'phone'));
  });
  afterAll(endServers);

  const start = (args: readonly string[], endless = false) =>
    startCommand(args, {
      env: { HOME: folder, TRADE_AGENT_HOME: join(folder, 'agent'), PATH: `${nas.tools}:${process.env.PATH}` },
      endless,
    });
  const init = (...reach: string[]) =>
    start(['home', 'init', '--name', 'Ada', '--broker', 'practice', '--yes', ...reach]).finished;

  it('a machine that is not signed in makes none', async () => {
    const { code, stderr } = await init('--phone', 'serve');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/not signed in to Tailscale[\s\S]*Run "tailscale up"/)]);
  });

  it('the network issues no certificates, so that Serve and Funnel make none either', async () => {
    await nas.join(network, 'nas');
    await phone.join(network, 'phone');
    expect(await readTailscaleStatus({ env: process.env }, nas.program)).toMatchObject({
      BackendState: 'Running',
      Self: { DNSName: `${NAME}.`, CapMap: expect.not.objectContaining({ https: null }) },
    });
    for (const mode of ['serve', 'funnel']) {
      const { code, stderr } = await init('--phone', mode);
      expect([mode, code, stderr]).toEqual([
        mode,
        2,
        expect.stringMatching(
          /network of nas\.rebinding\.dev issues no HTTPS certificates[\s\S]*--phone domain or proxy/,
        ),
      ]);
      // Tailscale's own program says the same.
      const refused = await nas.tailscale(mode, 'http://127.0.0.1:9');
      expect(refused.code).toBe(1);
      expect(explainTailscaleOutput(refused.stderr, '').message).toMatch(/does not allow HTTPS certificates/);
    }
  });

  it('with a certificate in files, the other machine reaches it through the network', async () => {
    const files = mkdtempSync(join(folder, 'files-'));
    for (const kind of ['cert', 'key'] as const) {
      writeFileSync(join(files, `${kind}.pem`), readFileSync(fixture(kind)), { mode: 0o600 });
    }
    const listen = `127.0.0.1:${await freePort()}`;
    const made = await init(
      ...['--phone', 'domain', '--address', `https://${NAME}`, '--listen', listen],
      ...['--tls-cert', join(files, 'cert.pem'), '--tls-key', join(files, 'key.pem')],
    );
    expect(made).toMatchObject({ code: 0 });
    const home = start(['home', 'serve'], true);
    onTestFinished(() => void home.child.kill('SIGKILL'));
    await home.waitFor(/Press Ctrl-C to stop/);
    expect(await nas.tailscale('serve', '--bg', '--tcp=443', `tcp://${listen}`)).toMatchObject({ code: 0 });
    const answer = await phone.get(`https://${NAME}/.well-known/openid-configuration`, readFileSync(fixture('cert')));
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([200, { issuer: `https://${NAME}` }]);
    home.child.kill('SIGTERM');
    expect((await home.finished).code).toBe(0);
  });

  it('a machine that is off, or whose service is, is told so', async () => {
    const says = async () => {
      const { code, stderr } = await start(['home', 'address', 'set', '--phone', 'serve']).finished;
      expect(code).toBe(2);
      return stderr;
    };
    expect(await nas.tailscale('down')).toMatchObject({ code: 0 });
    expect(await says()).toMatch(/Tailscale is off[\s\S]*"tailscale up"/);
    await nas.end();
    expect(await says()).toMatch(/Tailscale is not running[\s\S]*systemctl start tailscaled/);
  });
});
