import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { formatUtcSeconds } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { Person } from '../../store/home/people.ts';
import type { SigningKey } from '../../store/signing-key-store.ts';
import type { App } from '../app.ts';
import { listStoredAccounts } from './brokers.ts';
import { homeFilePaths, readHomeReady } from './home-files.ts';
import { findPerson, type OpenHome, withHome } from './open-home.ts';

export type ListedUser = Awaited<ReturnType<typeof toListedUsers>>[number];
export type PairingLink = Awaited<ReturnType<typeof createPairingLink>>;
export type ListedAuthenticator = ReturnType<typeof toListedAuthenticator>;

/** Lists the home's users. `accounts` are the accounts whose keys a user has stored; `account` is the first one. */
export async function listUsers(app: Pick<App, 'clock' | 'env'>, folder: string) {
  return await withHome(app, folder, toListedUsers);
}

async function toListedUsers(home: OpenHome) {
  const { people, keys, recoveryCodes } = home;
  const pairs = await listStoredAccounts(home);
  return await Promise.all(
    (await people.list()).map(async ({ username, name, email }) => {
      const accounts = pairs
        .filter(({ sub }) => sub === username)
        .map(({ broker, accountNumber: number, environment }) => ({ broker, number, environment }));
      const [first] = accounts;
      const code = await recoveryCodes.find(username);
      const { rpId } = keys.site;
      const unused: 'unused' | 'used' = code?.usedAt === undefined ? 'unused' : 'used';
      return {
        username,
        name,
        email,
        authenticators: (await home.stores.keys.listByPerson(username)).map((key) => toListedAuthenticator(key, rpId)),
        account: first === undefined ? null : { number: first.number, environment: first.environment },
        accounts,
        recovery_code: code === undefined ? ('none' as const) : unused,
      };
    }),
  );
}

/** Strips leading dashes, so that no command interprets a credential ID as an option. */
const idForTyping = (credentialId: string): string => credentialId.replace(/^-+/, '');

/** Describes a key for the list of users. @param host the home's host; keys for former hosts can't sign here */
function toListedAuthenticator(key: SigningKey, host: string) {
  return {
    id: idForTyping(key.credentialId),
    name: key.name,
    kind: key.method === 'software' ? ('software' as const) : ('passkey' as const),
    /** Whether the passkey can be synced to several devices. */
    synced: key.deviceType === 'multiDevice',
    former_host: key.rpId === host ? null : key.rpId,
    enrolled_at: formatUtcSeconds(key.enrolledAt),
    last_used_at: formatTime(key.lastUsedAt),
  };
}

/** Adds a person to a home. @throws {TradeAgentError} `usage` for a user name that is or was in use */
export async function addUser(app: Pick<App, 'clock' | 'env'>, folder: string, given: GivenPerson) {
  const person = createPerson(given);
  const { username, name } = person;
  return await withHome(app, folder, async ({ people, recoveryCodes }) => {
    await people.add(person);
    return { username, name, recoveryCode: await recoveryCodes.issue(username) };
  });
}

/**
 * Removes a person. Removes their keys first, so that they can't approve anything even if the removal is interrupted. A
 * running home withdraws their open proposals within a second. A stopped home does so at its next start.
 * @throws {TradeAgentError} `not_found`
 */
export async function removeUser(app: Pick<App, 'clock' | 'env'>, folder: string, username: string): Promise<void> {
  await withHome(app, folder, async (home) => {
    const person = await findPerson(home, username);
    await home.keys.endPerson(person.username);
    await home.stores.halts.halt(person.username, 'machine', app.clock.now());
    await home.stores.brokerKeys.removeAll(person.username);
    await home.stores.defaultAccounts.remove(person.username);
    await home.endBrowsers(person.username);
    await home.recoveryCodes.end(person.username);
    failpoint('person.stripped');
    await home.people.remove(person.username);
  });
}

/**
 * Removes an authenticator. @returns its owner, and how many authenticators the owner has left
 * @throws {TradeAgentError} `not_found`, `usage` for an ambiguous ID
 */
export async function removeAuthenticator(
  app: Pick<App, 'clock' | 'env'>,
  folder: string,
  { username, id }: { username: string | undefined; id: string },
) {
  return await withHome(app, folder, async (home) => {
    const person = await findPerson(home, username);
    const all = await home.stores.keys.listByPerson(person.username);
    const begins = idForTyping(id);
    const found = all.filter(
      ({ credentialId, name }) => name === id || (begins !== '' && idForTyping(credentialId).startsWith(begins)),
    );
    const key = requireSingle(
      found,
      `${person.username} has no authenticator "${id}"`,
      `"${id}" matches ${found.length} authenticators of ${person.username}`,
      'Pass an id from "trade-agent home user list", or a unique prefix of it.',
    );
    await home.keys.remove('machine', key.credentialId);
    await home.endKey(person.username, key.credentialId);
    const { length: left } = await home.keys.list(person.username);
    return { username: person.username, authenticator: toListedAuthenticator(key, home.keys.site.rpId), left };
  });
}

/** Returns the only element. @throws {TradeAgentError} `not_found` if there is none, `usage` if there are several */
function requireSingle<T>(found: readonly T[], none: string, several: string, hint: string): T {
  const [one, ...more] = found;
  if (one === undefined) throw new TradeAgentError('not_found', none, { hint });
  if (more.length > 0) throw new TradeAgentError('usage', several, { hint });
  return one;
}

/** Issues a recovery code, which replaces the previous one. @throws {TradeAgentError} `not_found` */
export async function issueRecoveryCode(app: Pick<App, 'clock' | 'env'>, folder: string, called: string | undefined) {
  return await withHome(app, folder, async (home) => {
    const { username } = await findPerson(home, called);
    return { username, recoveryCode: await home.recoveryCodes.issue(username) };
  });
}

const MAX_NAME_LENGTH = 60;

interface GivenPerson {
  readonly name: string;
  readonly username?: string | undefined;
  readonly email?: string | undefined;
}

/** Creates a person. If there is no user name, derives one from the name. @throws {TradeAgentError} `usage` */
export function createPerson({ name, username = deriveUsername(name), email = '' }: GivenPerson): Person {
  const shown = name.trim();
  if (shown === '' || shown.length > MAX_NAME_LENGTH || /\p{C}/u.test(shown)) {
    throw new TradeAgentError('usage', `a name must have 1 to ${MAX_NAME_LENGTH} printable characters`, {
      hint: 'Write the name as your phone should display it: --name "Ada Lovelace".',
    });
  }
  if (email !== '' && !z.email().safeParse(email).success) {
    throw new TradeAgentError('usage', `"${email}" is not an email address`, {
      hint: 'Fix the address, or omit --email.',
    });
  }
  return { username, name: shown, email };
}

/** Returns the first word of a name in lowercase Latin letters: `Zoë Adams` becomes `zoe`. */
function deriveUsername(name: string): string {
  const [word = ''] = name.trim().normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().split(/\s+/);
  const plain = word.replace(/[^a-z0-9_-]/g, '').slice(0, 32);
  return /^[a-z]/.test(plain) ? plain : 'owner';
}

/**
 * Creates a one-time link for pairing a phone. The link is valid for ten minutes and replaces the person's earlier
 * link. Works while the home is running.
 * @param username defaults to the home's only person
 * @throws {TradeAgentError} `not_found`, `usage` if there are several people, `invalid_config`
 */
export async function createPairingLink(app: Pick<App, 'clock' | 'env'>, folder: string, username: string | undefined) {
  return await withHome(app, folder, async (home) => {
    const person = await findPerson(home, username);
    const { secret, expiresAt } = await home.keys.pair(person.username);
    return {
      user: person.username,
      // The secret is in the URL fragment, which never reaches server logs, proxies or referrer headers.
      url: `${home.settings.address}/phone/pair#${secret}`,
      expiresAt: formatUtcSeconds(expiresAt),
    };
  });
}

/** Returns whether the home has a single person, who has no phone yet. */
export async function isHomeUnpaired(app: Pick<App, 'clock' | 'env'>, folder: string): Promise<boolean> {
  return await withHome(app, folder, async ({ people, keys }) => {
    const [owner, ...others] = await people.list();
    return owner !== undefined && others.length === 0 && (await keys.list(owner.username)).length === 0;
  });
}

/** Access that a person granted. The grant's names are unverified. */
export type ListedGrant = Awaited<ReturnType<typeof toListedGrants>>[number];

/** Lists the access that people granted. @param user undefined for all users */
export async function listGrants(app: Pick<App, 'clock' | 'env'>, folder: string, user: string | undefined) {
  return await withHome(app, folder, async (home) => await toListedGrants(home, user));
}

/**
 * Revokes a grant. Its tokens become invalid immediately. A running home also ends the grant's proposals and streams
 * within a second. A stopped home ends them when it starts.
 * @param id an ID, an unambiguous prefix of an ID, or a name
 * @throws {TradeAgentError} `not_found`, `usage` for an ambiguous ID
 */
export async function revokeGrant(
  app: Pick<App, 'clock' | 'env'>,
  folder: string,
  { user, id }: { readonly user: string | undefined; readonly id: string },
): Promise<ListedGrant> {
  return await withHome(app, folder, async (home) => {
    const all = await toListedGrants(home, user);
    const exact = all.filter((grant) => grant.id === id);
    const found = exact.length > 0 ? exact : all.filter((grant) => grant.id.startsWith(id) || grant.name === id);
    const grant = requireSingle(
      found,
      `there is no grant "${id}"`,
      `"${id}" matches ${found.length} grants`,
      'Pass an id from "trade-agent home grants list", or a unique prefix of it. Select the person with --user.',
    );
    if (grant.kind === 'agent') await home.authorized.revoke(grant.user, grant.id);
    else if (grant.kind === 'app') await home.registered.remove(grant.user, grant.id);
    else await home.devices.end(grant.user, grant.id, home.settings.servers ?? []);
    return grant;
  });
}

/** Lists devices and servers, then other agents, then apps that may send requests. Each group is newest first. */
async function toListedGrants({ devices, authorized, registered, settings }: OpenHome, user: string | undefined) {
  const isServer = (clientId: string) => settings.servers?.some(({ client_id }) => client_id === clientId) === true;
  const times = (since: number, endsAt: number | undefined, usedAt: number | undefined) => ({
    since: formatUtcSeconds(since),
    ends_at: formatTime(endsAt),
    last_used_at: formatTime(usedAt),
  });
  return [
    ...(await devices.list(user)).map((one) => ({
      user: one.user,
      id: one.id,
      kind: isServer(one.clientId) ? ('server' as const) : ('device' as const),
      name: one.clientName,
      from: one.deviceName ?? null,
      ...times(one.since, one.endsAt, one.usedAt),
    })),
    ...(await authorized.list(user)).map((one) => ({
      user: one.user,
      id: one.clientId,
      kind: 'agent' as const,
      name: one.name,
      from: one.host,
      ...times(one.since, one.endsAt, one.usedAt),
    })),
    ...(await registered.list(user)).map((one) => ({
      user: one.owner,
      id: one.clientId,
      kind: 'app' as const,
      name: one.name,
      from: one.host ?? null,
      ...times(one.registeredAt, one.endsAt, one.usedAt),
    })),
  ];
}

export type HomeStatus = Awaited<ReturnType<typeof readHomeStatus>>;

/**
 * Returns a home's status from its folder, including each person's number of open proposals and subscribed browsers.
 * `served` is null if the home is not running.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function readHomeStatus(app: Pick<App, 'clock' | 'env'>, folder: string) {
  return await withHome(app, folder, async (home) => {
    const { settings, gateway, stores } = home;
    const ready = readHomeReady(homeFilePaths(folder).ready);
    const users = await Promise.all(
      (await toListedUsers(home)).map(async (user) => {
        const { state, since, until } = await stores.halts.current(user.username, app.clock.now());
        return {
          ...user,
          open: (await stores.proposals.list({ sub: user.username, state: 'open' })).length,
          pushes: (await home.pushes.of(user.username)).length,
          trading: { state, since: formatTime(since), until: formatTime(until) },
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

function formatTime(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : formatUtcSeconds(epochMs);
}
