import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { utcSeconds } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { AuthorizedClient } from '../../store/home/authorized-clients.ts';
import type { Person } from '../../store/home/people.ts';
import type { SigningKey } from '../../store/signing-key-store.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import type { App } from '../app.ts';
import { keptKeys } from './brokers.ts';
import { homeFiles, readHomeReady } from './home-files.ts';
import { type OpenHome, personOf, withHome } from './open-home.ts';

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

async function listedUsers({
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

/** As a phone shows it. */
const LONGEST_NAME = 60;

/**
 * A person, with a user name made of the name where none is given.
 * @throws {TradeAgentError} `usage`
 */
export function newPerson({
  name,
  username = usernameOf(name),
  email = '',
}: {
  readonly name: string;
  readonly username?: string | undefined;
  readonly email?: string | undefined;
}): Person {
  const shown = name.trim();
  if (shown === '' || shown.length > LONGEST_NAME || /\p{C}/u.test(shown)) {
    throw new TradeAgentError('usage', `a name has 1 to ${LONGEST_NAME} characters that can be seen`, {
      hint: 'Write it as the phone is to show it: --name "Ada Lovelace".',
    });
  }
  if (email !== '' && !z.email().safeParse(email).success) {
    throw new TradeAgentError('usage', `"${email}" is no e-mail address`, {
      hint: 'Correct it, or leave it out.',
    });
  }
  return { username, name: shown, email };
}

/** The first word of a name in small Latin letters: `Zoë Adams` is `zoe`. */
function usernameOf(name: string): string {
  const [word = ''] = name.trim().normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().split(/\s+/);
  const plain = word.replace(/[^a-z0-9_-]/g, '').slice(0, 32);
  return /^[a-z]/.test(plain) ? plain : 'owner';
}

/** A link that pairs one phone with one person. */
export interface Pairing {
  readonly user: string;
  /** The secret is behind `#`: no server's log, no proxy and no referrer header has it. */
  readonly url: string;
  readonly expiresAt: string;
}

/**
 * Makes a link that pairs a phone once, within ten minutes; an earlier one of the same person ends. Also while the home
 * runs: a pairing is a row.
 * @param username the home's one person where none is named
 * @throws {TradeAgentError} `not_found`, `usage` where there are several, `invalid_config`
 */
export async function pairPhone(
  app: Pick<App, 'clock'>,
  folder: string,
  username: string | undefined,
): Promise<Pairing> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    const { secret, expiresAt } = await home.keys.pair(person.username);
    return {
      user: person.username,
      url: `${home.settings.address}/phone/pair#${secret}`,
      expiresAt: utcSeconds(expiresAt),
    };
  });
}

/** Whether the one person of a home has nothing to approve with yet. */
export async function unpaired(app: Pick<App, 'clock'>, folder: string): Promise<boolean> {
  return await withHome(app, folder, async ({ people, keys }) => {
    const [owner, ...others] = people.list();
    return owner !== undefined && others.length === 0 && (await keys.list(owner.username)).length === 0;
  });
}

/** Another agent that a person has let in. */
export interface ListedMcpClient {
  readonly user: string;
  /** By which it is revoked. */
  readonly client_id: string;
  /** As it calls itself; nobody has verified it. */
  readonly name: string;
  readonly host: string;
  readonly redirect_uri: string;
  readonly since: string;
  /** When it was last given a token. */
  readonly last_used_at: string | null;
}

/** @param user everybody's where it is left out */
export async function listMcpClients(
  app: Pick<App, 'clock'>,
  folder: string,
  user: string | undefined,
): Promise<ListedMcpClient[]> {
  return await withHome(app, folder, async ({ authorized }) => authorized.list(user).map(listed));
}

/**
 * Ends all that a client was given: its tokens at once; its open proposals and streams too where the home is served, and
 * else before anything else happens there.
 * @param id its id, the beginning of it that no other has, or its name
 * @throws {TradeAgentError} `not_found`, `usage` for what stands for several
 */
export async function revokeMcpClient(
  app: Pick<App, 'clock'>,
  folder: string,
  { user, id }: { readonly user: string | undefined; readonly id: string },
): Promise<ListedMcpClient> {
  return await withHome(app, folder, async ({ authorized }) => {
    const all = authorized.list(user);
    const exact = all.filter(({ clientId }) => clientId === id);
    const found =
      exact.length > 0 ? exact : all.filter(({ clientId, name }) => clientId.startsWith(id) || name === id);
    const [client, ...more] = found;
    if (client === undefined || more.length > 0) {
      throw new TradeAgentError(
        client === undefined ? 'not_found' : 'usage',
        client === undefined
          ? `no MCP client "${id}" is let in`
          : `"${id}" stands for ${found.length} MCP clients`,
        {
          hint: 'See "trade-agent mcp clients list": its id, or as much of it as no other begins with; --user says whose.',
        },
      );
    }
    authorized.end(client.user, client.clientId);
    return listed(client);
  });
}

function listed({
  user,
  clientId,
  name,
  host,
  redirectUri,
  since,
  usedAt,
}: AuthorizedClient): ListedMcpClient {
  return {
    user,
    client_id: clientId,
    name,
    host,
    redirect_uri: redirectUri,
    since: utcSeconds(since),
    last_used_at: usedAt === undefined ? null : utcSeconds(usedAt),
  };
}

export interface HomeStatus {
  readonly folder: string;
  readonly address: string;
  readonly environment: 'paper' | 'live';
  /** By which process, and where it listens; null where it is not served. */
  readonly served: { readonly pid: number; readonly url: string } | null;
  readonly signature: 'required' | 'live' | 'off';
  readonly users: readonly (ListedUser & {
    /** Proposals that nothing has come of yet. */
    readonly open: number;
    /** How many browsers are rung by push. */
    readonly pushes: number;
    /** How far their trading goes, since when, and when that ends by itself. */
    readonly trading: {
      readonly state: TradingState;
      readonly since: string | null;
      readonly until: string | null;
    };
  })[];
}

/** How a home stands, by what is in its folder. @throws {TradeAgentError} `invalid_config` */
export async function homeStatus(app: Pick<App, 'clock'>, folder: string): Promise<HomeStatus> {
  return await withHome(app, folder, async (home) => {
    const { settings, gateway, stores } = home;
    const ready = readHomeReady(homeFiles(folder).ready);
    const users = await Promise.all(
      (await listedUsers(home)).map(async (user) => {
        const { state, since, until } = await stores.halts.standing(user.username, app.clock.now());
        return {
          ...user,
          open: (await stores.proposals.list({ sub: user.username, state: 'open' })).length,
          pushes: home.pushes.of(user.username).length,
          trading: { state, since: timeOf(since), until: timeOf(until) },
        };
      }),
    );
    return {
      folder,
      address: settings.address,
      environment: gateway.environment,
      served: ready === undefined ? null : { pid: ready.pid, url: ready.url },
      signature: gateway.approval.signature,
      users,
    };
  });
}

function timeOf(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : utcSeconds(epochMs);
}
