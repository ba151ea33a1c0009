import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { RevokedAccess } from '../../../src/home/identity-provider/grants.ts';
import { createAuthorizedClientStore } from '../../../src/store/home/authorized-clients.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { refusal, startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { type HttpBrowser, openLinkByHttp, pairByHttp } from './http-browser.ts';
import { letIn, publicClient, register } from './public-client.ts';

let told: RevokedAccess[] = [];
let refusing = 0;
const world = await startIdentityProvider({
  onRevoked: async (who) => {
    if (refusing > 0) {
      refusing -= 1;
      throw new Error('the gateway is busy');
    }
    told.push(who);
  },
});
const alice = (await pairByHttp((await world.phone.pairing('alice')).url)).browser;
afterAll(() => world.close());
beforeEach(() => {
  told = [];
});

/** A program of its own that alice has let in, and that has used its tokens. */
async function letInProgram(browser = alice, name = 'Some Agent') {
  const { body } = await register(world.issuer, { client_name: name });
  const program = await publicClient(world, body.client_id);
  const { refresh_token = '' } = await program.redeem(await letIn(browser, program.url()));
  return { ...program, refreshed: () => refusal(program.refresh(refresh_token)) };
}

const isTold = (clientId: string) => expect.poll(() => told, { timeout: 10_000 }).toEqual([{ sub: 'alice', clientId }]);
const page = async (browser: HttpBrowser) => (await browser.visit('/phone/programs')).text();

describe('on the phone', () => {
  it('a program is listed with its host and last use, and ended at once', async () => {
    const program = await letInProgram(alice, 'Ended Agent');
    const shown = await page(alice);
    expect(shown).toMatch(
      /Ended Agent, <strong>127\.0\.0\.1:9123<\/strong>.*?last used <time [^>]*>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/s,
    );
    // To take away what others may do takes no passkey.
    const link = await openLinkByHttp((await world.phone.ticket('alice')).url);
    await link.submit('/phone/programs', '/phone/programs/end', { id: program.clientId });
    expect(told).toEqual([{ sub: 'alice', clientId: program.clientId }]);
    expect(await program.refreshed()).toBe('invalid_grant');
    expect(await page(alice)).not.toContain('Ended Agent');
  });

  it('nobody ends another person’s', async () => {
    const program = await letInProgram();
    const bob = await openLinkByHttp((await world.phone.ticket('bob')).url);
    expect(await page(bob)).not.toContain('Some Agent');
    await bob.submit('/phone/programs', '/phone/programs/end', { id: program.clientId });
    expect(told).toEqual([]);
    expect(await page(alice)).toContain(program.clientId);
  });

  it('a program that both use goes on for the other', async () => {
    const { clientId } = await letInProgram();
    const bob = (await pairByHttp((await world.phone.pairing('bob')).url)).browser;
    const bobs = await publicClient(world, clientId);
    const { refresh_token = '' } = await bobs.redeem(await letIn(bob, bobs.url()));
    await alice.submit('/phone/programs', '/phone/programs/end', { id: clientId });
    expect((await bobs.refresh(refresh_token)).access_token).toBeTypeOf('string');
  });

  it('what the gateway could not do is done again', async () => {
    const program = await letInProgram();
    refusing = 1;
    await alice.submit('/phone/programs', '/phone/programs/end', { id: program.clientId });
    expect(await program.refreshed()).toBe('invalid_grant');
    await isTold(program.clientId);
  });
});

describe('at the home’s own machine', () => {
  /** As another process opens it. */
  const opened = () => {
    const database = new Database(world.database().name);
    return { database, authorized: createAuthorizedClientStore(createSqliteTransactions(database), Date.now) };
  };

  it('another process ends one: its tokens at once, what is open as soon as the home has looked', async () => {
    const program = await letInProgram();
    const { database, authorized } = opened();
    expect((await authorized.list('alice')).map(({ clientId }) => clientId)).toContain(program.clientId);
    expect(await authorized.revoke('alice', program.clientId)).toBe(true);
    expect(await authorized.revoke('alice', program.clientId)).toBe(false);
    expect(await program.refreshed()).toBe('invalid_grant');
    await isTold(program.clientId);
    database.close();
  });

  it('and where nothing is served, as soon as it is', async () => {
    const program = await letInProgram();
    const { database, authorized } = opened();
    await world.restart();
    await authorized.revoke('alice', program.clientId);
    await world.restart();
    await isTold(program.clientId);
    database.close();
  });

  it('the same program, let in twice, is one, since the first time', async () => {
    const program = await letInProgram();
    const again = await publicClient(world, program.clientId);
    await again.redeem(await letIn(alice, again.url()));
    const { database, authorized } = opened();
    const found = (await authorized.list('alice')).filter(({ clientId }) => clientId === program.clientId);
    expect(found).toHaveLength(1);
    expect(found[0]?.usedAt).toBeGreaterThanOrEqual(found[0]?.since ?? 0);
    database.close();
  });
});
