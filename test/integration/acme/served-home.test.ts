import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerLog } from '../../../src/app/gateway/server-log.ts';
import { runHomeDoctor } from '../../../src/app/home/doctor.ts';
import { homeFilePaths } from '../../../src/app/home/home-files.ts';
import { serveHome } from '../../../src/app/home/serve-home.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { freePort } from '../../free-port.ts';
import { app, homeGround } from '../home/home-folder.ts';
import { createHttpBrowser } from '../home/http-browser.ts';
import { fetchTrusting, missing, startPebble } from './pebble.ts';

describe.skipIf(missing !== undefined)('a home at its own domain', () => {
  let pebble: Awaited<ReturnType<typeof startPebble>>;
  let ground: Awaited<ReturnType<typeof homeGround>>;
  beforeAll(async () => {
    pebble = await startPebble();
    ground = await homeGround();
  }, 15 * 60_000);
  afterAll(async () => {
    await ground.close();
    await pebble.close();
  });

  it('gets its certificate at its first start, and its metrics and doctor know until when it is valid', async () => {
    const { folder } = ground;
    const address = 'https://home.example';
    const metrics = await freePort();
    const code = await ground.make({
      settings: {
        address,
        listen: `127.0.0.1:${pebble.tlsPort}`,
        acme: { directory: pebble.directory, terms: pebble.terms },
      },
    });
    const { gateway, certificate, acme } = homeFilePaths(folder);
    writeFileSync(gateway, `${readFileSync(gateway, 'utf8')}telemetry: {metrics_port: ${metrics}}\n`);
    const told: string[] = [];
    const stopped = new AbortController();
    const log = new ServerLog({
      ...({ process: 'home', format: 'text', clock: systemClock } as const),
      write: (line) => void told.push(line),
    });
    let served: Promise<void> | undefined;
    try {
      await new Promise((resolve, reject) => {
        served = serveHome(
          { ...app, log, redactedFetch: pebble.fetch, signal: stopped.signal },
          { folder, listening: {}, ready: async (ready) => resolve(ready) },
        );
        served.catch(reject);
      });
      const asked = request({
        ...{ host: '127.0.0.1', port: pebble.tlsPort, servername: 'home.example', path: '/signin' },
        ...{ headers: { host: 'home.example' }, ca: await pebble.root() },
      });
      asked.end();
      const page = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
        asked.once('response', resolve).once('error', reject);
      });
      expect([page.statusCode, page.headers['strict-transport-security']]).toEqual([200, 'max-age=31536000']);
      await text(page);
      const answer = await fetch(`http://127.0.0.1:${metrics}/metrics`);
      const [, left] = /^trade_agent_certificate_validity_seconds (\S+)/m.exec(await answer.text()) ?? [];
      expect(Number(left) / 86_400).toBeGreaterThan(89);
      const findings = await runHomeDoctor(app, folder);
      expect(findings.filter(({ check }) => check === 'tls' || check === 'acme')).toEqual([
        expect.objectContaining({
          check: 'tls',
          status: 'ok',
          message: expect.stringMatching(/valid for (89|90) more days/),
        }),
      ]);
      const browser = createHttpBrowser(address, undefined, fetchTrusting(await pebble.root(), pebble.tlsPort));
      await browser.submit('/signin', '/signin/recovery', { username: 'alice', code });
      const home = async () => (await browser.visit('/phone')).text();
      expect(await home()).not.toContain('owner-warning');
      const failure = { at: new Date().toISOString(), message: 'it can’t connect', hint: 'Forward port 443.' };
      const state = JSON.parse(readFileSync(acme, 'utf8')) as object;
      writeFileSync(acme, JSON.stringify({ ...state, last_failure: failure }));
      expect(await home()).toMatch(
        /owner-warning.*expires in (89|90) days and was not renewed: it can’t connect. Forward/,
      );
    } finally {
      stopped.abort();
      await served?.catch(() => undefined);
    }
    for (const file of [certificate, acme]) expect(statSync(file).mode & 0o777).toBe(0o600);
    const secrets = [certificate, acme].flatMap(
      (file) => readFileSync(file, 'utf8').match(/[A-Za-z0-9+/]{40,}/g) ?? [],
    );
    expect(secrets.length).toBeGreaterThan(2);
    for (const secret of secrets) expect(told.join('\n')).not.toContain(secret);
  });
});
