import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PairedPhone } from '../../e2e/home-world.ts';
import { ledTo, signInByHttp } from '../../integration/home/http-browser.ts';
import { type GatewayBook, openGatewayBook } from '../gateway-book.ts';
import { createHomeThatDies, type HomeThatDies } from './home-that-dies.ts';

/** The home is another process than the command: it looks once a second. */
const SEEN_MS = 10_000;
const REMOVE = ['home', 'user', 'remove', 'alice', '--yes'] as const;

let world: HomeThatDies;
let gateway: GatewayBook;
let phone: PairedPhone;
let stop: Awaited<ReturnType<HomeThatDies['serve']>>;
beforeEach(async () => {
  world = await createHomeThatDies();
  await world.init();
  stop = await world.serve();
  gateway = openGatewayBook(world.home);
  phone = await world.pair();
  await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
  await world.login(phone);
  await world.propose('buy 2 AAPL limit 400');
  // Once everybody was rung: nothing is to leave this machine.
  rows(
    'provider.db',
    "INSERT INTO push_subscriptions (endpoint, username, session, credential, p256dh, auth, name, created_at) VALUES ('https://push.example/1', 'alice', 'a', 'b', 'c', 'd', 'e', 0)",
  );
  await world.json('home', 'pair');
}, 60_000);
afterEach(async () => {
  gateway?.close();
  await world?.close();
});

function rows(file: 'provider.db' | 'gateway.db', sql: string): unknown[] {
  const database = new Database(join(world.home, file));
  try {
    const statement = database.prepare(sql);
    return statement.reader ? statement.all() : [statement.run()];
  } finally {
    database.close();
  }
}

/** Tables that hold something of alice's, beside what is kept as history. */
function kept(): string[] {
  const has = (file: 'provider.db' | 'gateway.db', table: string, where: string) =>
    rows(file, `SELECT 1 FROM ${table} WHERE ${where} LIMIT 1`).length > 0 ? [table] : [];
  return [
    ...has('gateway.db', 'signing_keys', "sub = 'alice' AND removed_at IS NULL"),
    ...has('gateway.db', 'pairings', "sub = 'alice'"),
    ...has('gateway.db', 'broker_keys', "sub = 'alice'"),
    ...has('gateway.db', 'proposals', "sub = 'alice' AND state = 'requested'"),
    ...has('provider.db', 'people', "username = 'alice' AND removed_at IS NULL"),
    ...has('provider.db', 'browser_sessions', "username = 'alice'"),
    ...has('provider.db', 'recovery_codes', "username = 'alice'"),
    ...has('provider.db', 'push_subscriptions', "username = 'alice'"),
    ...has('provider.db', 'approval_requests', "username = 'alice' AND decision IS NULL AND withdrawn_at IS NULL"),
    ...has('provider.db', 'oidc_entities', "model = 'Grant' AND json_extract(payload, '$.accountId') = 'alice'"),
  ];
}

/** Nothing of theirs is left, and nothing was placed. */
async function isGone(): Promise<void> {
  await expect.poll(kept, { timeout: SEEN_MS }).toEqual([]);
  expect(gateway.proposals()).toMatchObject([{ state: 'cancelled' }]);
  expect(ledTo(await phone.browser.visit('/phone'))).toMatch(/^\/signin/);
  await expect(signInByHttp(world.address, phone.authenticator)).rejects.toThrow('not signed in');
  expect((await world.cli('whoami', '--verify')).code).toBe(4);
  expect(world.sandbox.broker.book()).toEqual([]);
  expect(await gateway.verify()).toMatchObject({ ok: true });
}

describe('a person who is removed at the home’s machine', () => {
  it('is gone at once from a home that is served, with all that was theirs', async () => {
    expect(kept()).toHaveLength(10);
    await world.json(...REMOVE);
    await isGone();
  });

  it('is gone from one that was not, as soon as it is; a command killed on the way leaves nobody who approves', async () => {
    await stop('SIGKILL');
    await world.commandDies('person.stripped', ...REMOVE);
    expect(kept()).toEqual(['proposals', 'people', 'approval_requests', 'oidc_entities']);
    await world.json(...REMOVE);
    expect(kept()).toEqual(['proposals', 'approval_requests', 'oidc_entities']);
    stop = await world.serve();
    await isGone();
  });

  it('the home killed while it ends what they had open: it does so at its next start', async () => {
    await world.servedDies('person.ended', () => world.json(...REMOVE));
    await isGone();
    await expect
      .poll(() => rows('provider.db', 'SELECT username FROM person_cleanups'))
      .toEqual([{ username: 'alice' }]);
  });
});
