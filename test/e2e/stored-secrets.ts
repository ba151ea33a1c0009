import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { NotificationTokens } from '../../src/approval/notification-tokens.ts';
import { ProposalTransitions } from '../../src/approval/transitions.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { credentialNames } from '../../src/secrets/credential-store.ts';
import { getOrCreateDatabaseKey } from '../../src/secrets/database-key.ts';
import { openFileStore } from '../../src/secrets/file/file-store.ts';
import { createTokenSeal } from '../../src/secrets/token-seal.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../src/store/sqlite/gateway-stores.ts';
import { openStateDatabase } from '../../src/store/sqlite/state-database.ts';

const store = (agentHome: string) => openFileStore({ folder: agentHome, profile: 'sandbox' });

/** The secret values in the sandbox profile's credential file: tokens, the database key, the private part of each key. */
export async function readStoredSecrets(agentHome: string): Promise<string[]> {
  const { session: _notSecret, ...values } = await store(agentHome).get(credentialNames);
  return Object.values(values).flatMap((value) => {
    if (value === undefined) return [];
    const privateParts = [...value.matchAll(/"d":"([^"]+)"/g)].map(([, d = '']) => d);
    return privateParts.length > 0 ? privateParts : [value];
  });
}

/** Every row of every table of state.db, decrypted, as text: what a token would be found in if it were there. */
export async function dumpState(agentHome: string): Promise<string> {
  const database = openStateDatabase(join(agentHome, 'state.db'), await getOrCreateDatabaseKey(store(agentHome)));
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as {
      name: string;
    }[];
    const rows = tables.flatMap(
      ({ name }) => database.prepare(`SELECT * FROM "${name}"`).all() as Record<string, unknown>[],
    );
    return rows
      .flatMap((row) => Object.values(row))
      .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value)))
      .join('\n');
  } finally {
    database.close();
  }
}

/**
 * What the gateway holds for proposals that are open: the tokens of approvals and the ids of questions, opened, and what the
 * identity provider shows when it calls back.
 * @param key the private part of the gateway's key
 */
export async function readGatewaySecrets(
  gatewayDb: string,
  key: string,
): Promise<Record<'approvalTokens' | 'notificationTokens' | 'questions', string[]>> {
  const database = new Database(gatewayDb);
  try {
    const { proposals } = createSqliteGatewayStores(database, createAuthReqIdSeal(key));
    const moves = new ProposalTransitions(proposals, createTokenSeal(key), systemClock);
    const open = await proposals.list({ state: 'open' });
    const tokens = await Promise.all(open.map((proposal) => moves.token(proposal)));
    return {
      approvalTokens: tokens.flatMap((token) => token ?? []),
      questions: open.flatMap(({ authReqId }) => authReqId ?? []),
      notificationTokens: open.map((one) => new NotificationTokens(key).of(one)),
    };
  } finally {
    database.close();
  }
}
