import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it } from 'vitest';
import { createConnectionRequests } from '../../../../src/home/identity-provider/connection-requests.ts';
import { createVault } from '../../../../src/home/identity-provider/vault.ts';
import { systemClock } from '../../../../src/machine/clock.ts';

it('a sandbox from before requests said who asks goes on', () => {
  const database = new Database(':memory:');
  database.exec(`
    CREATE TABLE connection_requests (
      ticket TEXT PRIMARY KEY, auth_session TEXT NOT NULL UNIQUE, user TEXT NOT NULL, connection TEXT NOT NULL,
      scopes TEXT NOT NULL, state TEXT NOT NULL UNIQUE, verifier TEXT NOT NULL, expires_at INTEGER NOT NULL,
      answered INTEGER NOT NULL DEFAULT 0, outcome TEXT
    ) STRICT`);
  const broker = {
    url: 'http://127.0.0.1:1',
    client: { client_id: 'v', client_secret: 's' },
    redirectUri: 'r',
  };
  const vault = createVault({ database, key: Buffer.alloc(32), connections: { broker } });
  for (const _start of ['first', 'next']) {
    const requests = createConnectionRequests({ database, vault, clock: systemClock });
    const { ticket } = requests.start('alice', { client: 'trade-agent', device: undefined }, 'broker', []);
    expect(requests.byTicket(ticket)).toMatchObject({
      user: 'alice',
      asker: { client: 'trade-agent', device: undefined },
      status: 'open',
    });
  }
});
