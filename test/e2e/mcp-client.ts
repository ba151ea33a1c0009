import Database from 'better-sqlite3-multiple-ciphers';
import { homeFilePaths } from '../../src/app/home/home-files.ts';
import { createAuthorizedClientStore } from '../../src/store/home/authorized-clients.ts';
import { createOidcStore } from '../../src/store/home/oidc-store.ts';
import { prepareHomeDatabase } from '../../src/store/home/schema.ts';
import { createSqliteTransactions } from '../../src/store/sqlite/sql-database.ts';

/** Lets an MCP client in at a home, at its folder, as somebody's browser would. */
export async function letMcpClientIn(folder: string, user: string, name: string): Promise<void> {
  const database = prepareHomeDatabase(new Database(homeFilePaths(folder).providerDatabase));
  const sql = createSqliteTransactions(database);
  const nothing = async () => undefined;
  const store = createOidcStore({
    database: sql,
    now: Date.now,
    onGrantEnded: nothing,
    beforeBackchannelRequest: nothing,
  });
  const clientId = 'https://agent.example/client.json';
  await store.adapter('Grant').upsert('grant-of-the-test', { accountId: user, clientId }, 3600);
  await createAuthorizedClientStore(sql, Date.now).note('grant-of-the-test', {
    ...{ user, clientId, name },
    host: 'agent.example',
    redirectUri: 'http://127.0.0.1:9123/callback',
  });
  database.close();
}
