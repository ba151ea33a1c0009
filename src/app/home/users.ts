import { TradeAgentError } from '../../errors/errors.ts';
import { utcSeconds } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { SigningKey } from '../../store/signing-key-store.ts';
import type { App } from '../app.ts';
import { keptKeys } from './broker-account.ts';
import { type OpenHome, withHome } from './open-home.ts';
import { newPerson } from './owner.ts';
import { personOf } from './pair-phone.ts';

/** A phone or other authenticator of a person's. */
export interface ListedAuthenticator {
  /** By which it is removed. */
  readonly id: string;
  readonly name: string;
  readonly kind: 'passkey' | 'software';
  /** Whether it can be on several devices at once. */
  readonly synced: boolean;
  readonly enrolled_at: string;
  readonly last_used_at: string | null;
}

export interface ListedUser {
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly authenticators: readonly ListedAuthenticator[];
  /** The first of `accounts`; null: no broker's account. */
  readonly account: { readonly number: string; readonly environment: 'paper' | 'live' } | null;
  /** At each broker that they have keys for, by the broker's name. */
  readonly accounts: readonly {
    readonly broker: string;
    readonly number: string;
    readonly environment: 'paper' | 'live';
  }[];
  readonly recovery_code: 'unused' | 'used' | 'none';
}

export async function listUsers(app: Pick<App, 'clock'>, folder: string): Promise<ListedUser[]> {
  return await withHome(app, folder, listedUsers);
}

export async function listedUsers({
  people,
  keys,
  keyPairs,
  gateway,
  recoveryCodes,
}: Pick<OpenHome, 'people' | 'keys' | 'keyPairs' | 'gateway' | 'recoveryCodes'>): Promise<ListedUser[]> {
  const pairs = await keptKeys({ keyPairs, gateway });
  return await Promise.all(
    people.list().map(async ({ username, name, email }) => {
      const accounts = pairs
        .filter(({ sub }) => sub === username)
        .map(({ broker, accountNumber: number, environment }) => ({ broker, number, environment }));
      const [first] = accounts;
      const code = recoveryCodes.find(username);
      return {
        username,
        name,
        email,
        authenticators: (await keys.list(username)).map(listedAuthenticator),
        account: first === undefined ? null : { number: first.number, environment: first.environment },
        accounts,
        recovery_code: code === undefined ? 'none' : code.usedAt === undefined ? 'unused' : 'used',
      };
    }),
  );
}

/** A credential's id is random, and what begins with `-` is an option on a command line. */
const typedId = (credentialId: string): string => credentialId.replace(/^-+/, '');

function listedAuthenticator(key: SigningKey): ListedAuthenticator {
  return {
    id: typedId(key.credentialId),
    name: key.name,
    kind: key.method === 'software' ? 'software' : 'passkey',
    synced: key.deviceType === 'multiDevice',
    enrolled_at: utcSeconds(key.enrolledAt),
    last_used_at: key.lastUsedAt === undefined ? null : utcSeconds(key.lastUsedAt),
  };
}

/** @throws {TradeAgentError} `usage` for a name that is or was taken */
export async function addUser(
  app: Pick<App, 'clock'>,
  folder: string,
  given: Parameters<typeof newPerson>[0],
): Promise<{ readonly username: string; readonly name: string; readonly recoveryCode: string }> {
  const person = newPerson(given);
  return await withHome(app, folder, async ({ people, recoveryCodes }) => {
    people.add(person);
    return {
      username: person.username,
      name: person.name,
      recoveryCode: recoveryCodes.issue(person.username),
    };
  });
}

/**
 * Removes a person: what they approve by first, so that whoever is interrupted leaves nobody who can approve; then what else is
 * theirs, and themselves. A home that is served sees it within a second, and withdraws what they have open; one that is not
 * does so at its next start.
 * @throws {TradeAgentError} `not_found`
 */
export async function removeUser(app: Pick<App, 'clock'>, folder: string, username: string): Promise<void> {
  await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    await home.keys.endPerson(person.username);
    await home.stores.halts.halt(person.username, 'machine', app.clock.now());
    await home.stores.brokerKeys.removeAll(person.username);
    await home.stores.defaultAccounts.remove(person.username);
    home.endBrowsers(person.username);
    home.recoveryCodes.end(person.username);
    failpoint('person.stripped');
    home.people.remove(person.username);
    await home.audit();
  });
}

/** @returns who it belonged to. @throws {TradeAgentError} `not_found`, `usage` for an id that begins several */
export async function removeAuthenticator(
  app: Pick<App, 'clock'>,
  folder: string,
  { username, id }: { readonly username: string | undefined; readonly id: string },
): Promise<{
  readonly username: string;
  readonly authenticator: ListedAuthenticator;
  readonly left: number;
}> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    const all = await home.keys.list(person.username);
    const begins = typedId(id);
    const found = all.filter(
      ({ credentialId, name }) => name === id || (begins !== '' && typedId(credentialId).startsWith(begins)),
    );
    const [key, ...more] = found;
    if (key === undefined || more.length > 0) {
      throw new TradeAgentError(
        key === undefined ? 'not_found' : 'usage',
        key === undefined
          ? `${person.username} has no authenticator "${id}"`
          : `"${id}" stands for ${found.length} authenticators of ${person.username}`,
        { hint: 'See "trade-agent home user list": its id, or as much of it as no other begins with.' },
      );
    }
    await home.keys.remove('machine', key.credentialId);
    home.endKey(person.username, key.credentialId);
    await home.audit();
    return { username: person.username, authenticator: listedAuthenticator(key), left: all.length - 1 };
  });
}

/** A new recovery code; the one before ends. @throws {TradeAgentError} `not_found` */
export async function newRecoveryCode(
  app: Pick<App, 'clock'>,
  folder: string,
  username: string | undefined,
): Promise<{ readonly username: string; readonly recoveryCode: string }> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    return { username: person.username, recoveryCode: home.recoveryCodes.issue(person.username) };
  });
}
