import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { linesIn } from '../../fixtures/record-lines.ts';
import type { CompanyPerson } from '../../integration/home/companies/company-person.ts';
import { push, startCompany, type TestCompany } from '../../integration/home/signals/company.ts';
import { type GatewayBook, openGatewayBook } from '../gateway-book.ts';
import { createHomeThatDies, type HomeThatDies } from './home-that-dies.ts';

/** It is ended at the next start, if not before. */
const ENDED_MS = 10_000;

let company: TestCompany;
beforeAll(async () => {
  company = await startCompany();
});
afterAll(() => company.close());

let world: HomeThatDies;
let gateway: GatewayBook;
let session: CompanyPerson;
beforeEach(async () => {
  world = await createHomeThatDies();
  await world.init();
  const file = join(world.home, 'home.yaml');
  const settings = parseDocument(readFileSync(file, 'utf8'));
  settings.set('companies', [company.listed]);
  writeFileSync(file, String(settings), { mode: 0o600 });
  await world.serve();
  gateway = openGatewayBook(world.home);
  await world.pair();
  session = await company.signIn(world.address, 'acme-alice');
  const { status } = await session.send('POST', '/v1/proposals', {
    kind: 'order',
    order: { symbol: 'AAPL', side: 'buy', qty: '1', type: 'limit', limit_price: '1.00' },
  });
  expect(status).toBe(201);
}, 60_000);
afterEach(async () => {
  gateway?.close();
  await world?.close();
});

const signalled = () => {
  const database = new Database(join(world.home, 'provider.db'), { readonly: true });
  try {
    return database.prepare('SELECT username AS user, jti, ended_at IS NOT NULL AS ended FROM signalled').all();
  } finally {
    database.close();
  }
};
const told = () => linesIn(join(world.home, 'gateway.db')).filter(({ event }) => event === 'signal_received');

it.each([
  ['before it is answered, and once more before the record says so', 'signal.kept', 'signal.withdrawn'],
  ['before it is noted that all has ended', 'signal.ended', undefined],
] as const)(
  'a home killed %s ends all that a signal takes back at its next start, and takes it again',
  async (_, at, then) => {
    const token = await company.event({ jti: at });
    await world.servedDies(at, () => push(world.address, token), then);
    expect(await session.send('GET', '/v1/proposals')).toMatchObject({
      status: 401,
      body: { code: 'token_revoked' },
    });
    await expect.poll(signalled, { timeout: ENDED_MS }).toEqual([{ user: 'alice', jti: at, ended: 1 }]);
    expect(gateway.proposals()).toMatchObject([{ state: 'cancelled' }]);
    await expect.poll(told, { timeout: ENDED_MS }).toHaveLength(1);
    // Whoever got no answer sends it again.
    expect((await push(world.address, token)).status).toBe(202);
    expect(signalled()).toHaveLength(1);
    expect(await gateway.verify()).toMatchObject({ ok: true });
  },
);
