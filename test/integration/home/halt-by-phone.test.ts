import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/machine/clock.ts';
import { createRecoveryCodeStore } from '../../../src/store/home/recovery-codes.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { openCliWorld } from '../cli/cli-world.ts';
import { createHttpBrowser, ledTo } from './http-browser.ts';

const world = await openCliWorld();
await world.login();
afterAll(() => world.close());

it('whoever has lost their passkeys halts all trading by recovery code, and can not let it go on', async () => {
  const database = new Database(join(world.sandbox.ready.home, 'identity-provider.db'));
  const codes = createRecoveryCodeStore({ database: createSqliteTransactions(database), clock: systemClock });
  const code = await codes.issue('alice');
  database.close();
  const browser = createHttpBrowser(world.sandbox.ready.issuer);
  const form = { username: 'alice', code };
  expect(ledTo(await browser.submit('/signin', '/signin/recovery', form))).toBe('/phone');
  await world.run(['run', 'buy 1 KO', '--approval', 'detach']);
  const before = await (await browser.visit('/phone/halt')).text();
  expect(before).toContain('Halt all trading?');
  expect(before).not.toContain('Positions can only be reduced');
  // What is reducing only says so, and can still be halted.
  expect((await world.run(['halt', '--reducing'])).exitCode).toBe(0);
  const reducing = await (await browser.visit('/phone/halt')).text();
  expect(reducing).toContain('Positions can only be reduced');
  expect(reducing).toContain('Halt all trading?');

  expect(ledTo(await browser.submit('/phone/halt', '/phone/halt'))).toBe('/phone/halt');
  expect(await (await browser.visit('/phone/halt')).text()).toContain('Trading is halted');
  const listed = JSON.parse((await world.run(['approvals', '--output', 'json'])).stdout).approvals;
  expect(listed).toMatchObject([{ status: 'cancelled' }]);
  expect((await world.run(['run', 'buy 1 KO', '--output', 'json'])).exitCode).toBe(8);
  // To let it go on is an approval like any other.
  const lift = world.start(['halt', '--lift']);
  await lift.says(/Approval needed/);
  const page = await (await browser.visit('/phone')).text();
  const path = /action="(\/phone\/requests\/[^"]+)"/.exec(page)?.[1] ?? '';
  expect((await browser.submit('/phone', path, { decision: 'approve' })).status).toBeGreaterThanOrEqual(400);
  expect(ledTo(await browser.submit('/phone', path, { decision: 'deny' }))).toBe('/phone');
  expect((await lift.done).exitCode).toBe(6);
  expect(world.ordersAtBroker()).toBe(0);
});

it('a stranger halts nothing', async () => {
  const stranger = createHttpBrowser(world.sandbox.ready.issuer);
  expect(ledTo(await stranger.visit('/phone/halt'))).toMatch(/^\/signin/);
  expect(ledTo(await stranger.submit('/signin', '/phone/halt'))).toMatch(/^\/signin/);
});
