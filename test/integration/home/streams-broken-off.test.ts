import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, expect, it, vi } from 'vitest';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { impatientClock } from '../hasty-clock.ts';
import { pairByHttp } from './http-browser.ts';

const folder = mkdtempSync(join(tmpdir(), 'trade-agent-broken-off-'));
const sandbox = await startSandbox({ home: folder, port: 0, clock: impatientClock });
const phone = createPhoneClient({ phone: sandbox.ready.phone, pairingSecret: sandbox.pairingSecret });
const browser = (await pairByHttp((await phone.pairing('alice')).url)).browser;
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the gateway's database is without: its people's keys can't be read then. */
const tables = (sql: string) => {
  const database = new Database(join(folder, 'gateway.db'));
  database.exec(sql);
  database.close();
};

it.each(['/phone/events', '/phone/dashboard/events'])(
  'the stream %s ends where the database goes away: who runs the home is told, and nothing is printed',
  async (path) => {
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const open = () => browser.visit(path, { headers: { accept: 'text/event-stream' } });
    const stream = (await open()).body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await stream?.read())?.value).toContain('event: ');
    tables('ALTER TABLE signing_keys RENAME TO away');
    try {
      let rest = '';
      for (;;) {
        const { done, value } = (await stream?.read()) ?? { done: true };
        if (done) break;
        rest += value;
      }
      expect(rest).not.toContain('error');
      expect(told.mock.calls.flat()).toContain('identity provider: no such table: signing_keys\n');
      expect(printed).not.toHaveBeenCalled();
    } finally {
      tables('ALTER TABLE away RENAME TO signing_keys');
      vi.restoreAllMocks();
    }
    const again = (await open()).body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await again?.read())?.value).toContain('event: ');
    await again?.cancel();
  },
  15_000,
);

it.each(['/phone/events', '/phone/dashboard/events'])(
  'so many streams %s of one person are open at once, and not more',
  async (path) => {
    const open = (signal?: AbortSignal) =>
      browser.visit(path, { headers: { accept: 'text/event-stream' }, ...(signal && { signal }) });
    const stop = new AbortController();
    // Those of the test before may not have ended yet.
    const first = await Promise.all(Array.from({ length: 40 }, () => open(stop.signal)));
    const refused = first.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(refused[0]?.headers.get('retry-after')).toBe('5');
    expect(first.some(({ status }) => status === 200)).toBe(true);
    stop.abort();
    await expect
      .poll(async () => {
        const again = await open();
        await again.body?.cancel();
        return again.status;
      })
      .toBe(200);
  },
  15_000,
);
