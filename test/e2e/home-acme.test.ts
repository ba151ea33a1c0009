import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchTrusting, missing, startPebble } from '../integration/acme/pebble.ts';
import { pairByHttp } from '../integration/home/http-browser.ts';
import { createHomeWorld, type HomeWorld } from './home-world.ts';

const HOST = 'home.example';
/** A certificate is renewed when a third of its life is left, so one of a minute is renewed while a test waits. */
const VALID_SECONDS = 60;

describe.skipIf(missing !== undefined)('a home moved to a domain of its own', () => {
  let pebble: Awaited<ReturnType<typeof startPebble>>;
  let world: HomeWorld;
  beforeAll(async () => {
    pebble = await startPebble(VALID_SECONDS);
    world = await createHomeWorld(undefined, { env: { NODE_EXTRA_CA_CERTS: pebble.ca } });
    await world.init();
  }, 15 * 60_000);
  afterAll(async () => {
    await world.close();
    await pebble.close();
  });

  /** @returns the certificate in use, trusted by the authority's root for the home's name */
  async function certificate() {
    const socket = connect({
      ...{ host: '127.0.0.1', port: pebble.tlsPort, servername: HOST, ca: await pebble.root() },
    });
    await once(socket, 'secureConnect');
    const found = socket.getPeerX509Certificate();
    socket.destroy();
    if (found === undefined) throw new Error('it showed no certificate');
    return found;
  }

  it('serves with the certificate that it was issued, pairs a phone, and renews it without a restart', async () => {
    const domain = ['--phone', 'domain', '--agree-tos', '--acme-directory', pebble.directory];
    const address = `https://${HOST}`;
    await world.json('home', 'address', 'set', address, ...domain, '--listen', `127.0.0.1:${pebble.tlsPort}`);
    const stop = await world.serve();
    const first = await certificate();
    expect(first.checkHost(HOST)).toBe(HOST);
    const send = fetchTrusting(await pebble.root(), pebble.tlsPort);
    const { url } = await world.json<{ url: string }>('home', 'pair');
    const { browser } = await pairByHttp(url, { send });
    const page = async () => (await browser.visit('/phone')).status;
    expect(await page()).toBe(200);
    await expect
      .poll(async () => (await certificate()).serialNumber, { timeout: 2_000 * VALID_SECONDS, interval: 1_000 })
      .not.toBe(first.serialNumber);
    const second = await certificate();
    expect(Date.parse(second.validTo)).toBeGreaterThan(Date.parse(first.validTo));
    expect(Date.now()).toBeLessThan(Date.parse(second.validTo));
    expect(await page()).toBe(200);
    const { stdout, stderr } = await stop();
    expect((stdout + stderr).match(/The certificate for home\.example is valid for/g)).toHaveLength(2);
  }, 240_000);
});
