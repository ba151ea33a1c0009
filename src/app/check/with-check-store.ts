import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { readSnapshot } from '../../check/read-snapshot.ts';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import type { Notice } from '../../notify/notice.ts';
import type { CheckStore } from '../../store/check-store.ts';
import type { App } from '../app.ts';
import { onlyOnThisMachineError } from '../profile-server.ts';

/** Reads the account and its stored history. @param owner the account owner's key in the store */
export async function readAccountWithHistory(
  store: CheckStore<Notice>,
  owner: string,
  input: Omit<Parameters<typeof readSnapshot>[0], 'closes' | 'activities' | 'imported'>,
) {
  const gathering = await import('../../check/read-snapshot.ts');
  const snapshot = await gathering.readSnapshot({
    ...input,
    closes: store.closes,
    activities: (account) => store.activities({ profile: owner, account }),
    imported: (account) => store.imports({ profile: owner, account }),
  });
  return { snapshot, memory: store.account({ profile: owner, account: snapshot.account.account }) };
}

export type CheckStoreApp = Pick<App, 'home' | 'profile' | 'requireSession' | 'store'>;

/**
 * Opens this profile's check store, runs `use` and closes the store.
 * @param use receives the store and the account owner's key in the store
 * @param options.otherwise returned if nothing has been stored yet, in which case no file is created
 * @throws {TradeAgentError} `login_required`, `state_corrupt`
 */
export async function withCheckStore<T>(
  app: CheckStoreApp,
  use: (store: CheckStore<Notice>, owner: string) => Promise<T>,
  options: { readonly otherwise?: T } = {},
): Promise<T> {
  const [profile, home, session] = await Promise.all([app.profile(), app.home(), app.requireSession()]);
  const file = join(home.data, `checks.${profile.name}.db`);
  if ('otherwise' in options && !existsSync(file)) return options.otherwise as T;
  if (profile.server !== undefined) throw onlyOnThisMachineError('imports', profile.server);
  const [{ openCheckStore }, { getOrCreateDatabaseKey }] = await Promise.all([
    import('../../store/sqlite/check-store.ts'),
    import('../../secrets/database-key.ts'),
  ]);
  ensurePrivateFolder(home.data);
  const store = openCheckStore<Notice>(file, (await getOrCreateDatabaseKey(await app.store())).toString('hex'));
  try {
    return await use(store, `${profile.name}:${session.user.sub}`);
  } finally {
    store.close();
  }
}
