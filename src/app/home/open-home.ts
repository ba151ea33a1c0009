import { lstatSync } from 'node:fs';
import { ApprovalKeys } from '../../approval/keys/approval-keys.ts';
import { ProposalTransitions } from '../../approval/transitions.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type BrokerCredentialStore, createBrokerCredentialStore } from '../../gateway/broker/key-pairs.ts';
import { type NamedBroker, toBrokerCredentialLocation } from '../../gateway/broker/named-broker.ts';
import type { GatewaySettings } from '../../gateway/gateway-settings.ts';
import { openPushSubscriptions, type PushSubscriptions } from '../../home/phone/push/push-subscriptions.ts';
import type { HomeSettings } from '../../home/settings/home-settings.ts';
import { findFolderRisk } from '../../machine/directories.ts';
import { createTokenSeal } from '../../secrets/token-seal.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import { type AuthorizedClientStore, createAuthorizedClientStore } from '../../store/home/authorized-clients.ts';
import { createGrantedDeviceStore, type GrantedDeviceStore } from '../../store/home/granted-devices.ts';
import { endAllSignIns } from '../../store/home/oidc-store.ts';
import { createPeopleStore, type PeopleStore } from '../../store/home/people.ts';
import { createRecoveryCodeStore, type RecoveryCodeStore } from '../../store/home/recovery-codes.ts';
import { createRegisteredClientStore, type RegisteredClientStore } from '../../store/home/registered-clients.ts';
import { createSessionStore } from '../../store/home/sessions.ts';
import type { App } from '../app.ts';
import { type HomeDatabase, movedHomeError, openHomeDatabase } from './home-database.ts';
import { readGatewaySettings, readHomeSettings } from './home-files.ts';

/** A home's data, opened by a command on the same machine. The home may be running. */
export interface OpenHome {
  readonly folder: string;
  readonly settings: HomeSettings;
  readonly gateway: GatewaySettings;
  readonly stores: GatewayStores;
  readonly people: PeopleStore;
  readonly keys: ApprovalKeys;
  /** Opens a broker's credential store. @param all the home's brokers, if they differ from its settings */
  readonly keyPairs: (broker: NamedBroker, all?: readonly NamedBroker[]) => BrokerCredentialStore;
  readonly recoveryCodes: RecoveryCodeStore;
  readonly authorized: Pick<AuthorizedClientStore, 'list' | 'revoke'>;
  readonly devices: Pick<GrantedDeviceStore, 'list' | 'end'>;
  readonly registered: Pick<RegisteredClientStore, 'list' | 'remove'>;
  readonly pushes: PushSubscriptions;
  readonly endKey: (username: string, credentialId: string) => Promise<void>;
  readonly endBrowsers: (username: string) => Promise<void>;
  /** Ends the sign-ins of all people, on browsers and devices. */
  readonly endAllSignIns: () => Promise<void>;
  readonly transitions: ProposalTransitions;
  readonly served: HomeDatabase['served'];
}

/**
 * Opens a home for commands on its own machine.
 * @throws {TradeAgentError} `invalid_config` if the folder contains no home, if other users have access to it, or if the
 *   home has moved to another address
 */
export async function withHome<T>(
  app: Pick<App, 'clock' | 'env'>,
  folder: string,
  work: (home: OpenHome) => Promise<T>,
): Promise<T> {
  return await withMovedHome(app, folder, async (home) => {
    const { address } = home.settings;
    const current = await home.served?.claim(address);
    if (current !== undefined && current !== address) throw movedHomeError(current);
    return await work(home);
  });
}

/** Like {@link withHome}, but also opens a home that has moved to an address other than in the folder's settings. */
export async function withMovedHome<T>(
  { clock, env }: Pick<App, 'clock' | 'env'>,
  folder: string,
  work: (home: OpenHome) => Promise<T>,
): Promise<T> {
  requireOwnHomeFolder(folder);
  const settings = await readHomeSettings(folder);
  const gateway = await readGatewaySettings(folder);
  // Makes SQLite's files private. SQLite's default permissions depend only on the umask.
  process.umask(0o077);
  // Throws if other users can read the home's secret.
  const database = await openHomeDatabase(gateway, folder, env);
  try {
    const { home: sql, stores, secrets } = database;
    const { address } = settings;
    const people = createPeopleStore(sql, () => clock.now());
    // The form key is empty, because commands serve no forms.
    const sessions = createSessionStore({ database: sql, formKey: '', clock });
    const pushes = openPushSubscriptions(sql, clock);
    return await work({
      folder,
      settings,
      gateway,
      stores,
      people,
      keys: new ApprovalKeys({
        store: stores.keys,
        gateway: gateway.identifier ?? address,
        rpId: new URL(address).hostname,
        origin: address,
        rpName: 'trade-agent',
        clock,
        softwareKeys: false,
      }),
      keyPairs: (broker, all = gateway.brokers) =>
        createBrokerCredentialStore({
          store: stores.brokerKeys,
          sealSecret: secrets.sealSecret,
          now: () => clock.now(),
          broker: toBrokerCredentialLocation(broker, all),
        }),
      pushes,
      endKey: async (username, credentialId) => {
        await sessions.endOf(username, credentialId);
        await pushes.endKey(username, credentialId);
      },
      // Revoking a grant only changes the database. A running home detects the change.
      authorized: createAuthorizedClientStore(sql, () => clock.now()),
      devices: createGrantedDeviceStore(sql, () => clock.now()),
      registered: createRegisteredClientStore(sql, () => clock.now()),
      endBrowsers: async (username) => {
        await sessions.endAll(username);
        await pushes.endPerson(username);
      },
      recoveryCodes: createRecoveryCodeStore({ database: sql, clock }),
      endAllSignIns: () => endAllSignIns(sql),
      served: database.served,
      transitions: new ProposalTransitions(stores.proposals, createTokenSeal(secrets.sealSecret), clock),
    });
  } finally {
    await database.close();
  }
}

/** Checks that the folder contains a home and is private to this user. @throws {TradeAgentError} `invalid_config` */
export function requireOwnHomeFolder(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new TradeAgentError('invalid_config', `there is no home here: ${folder}`, {
      hint: 'Create one with "trade-agent home init", or pass its folder with --home.',
      details: { folder },
    });
  }
  const problem = findFolderRisk(found);
  if (problem === undefined) return;
  throw new TradeAgentError('invalid_config', `${folder} can't be used: ${problem}`, {
    hint: 'Run this command as the user who owns the home ("sudo -u USER trade-agent home …"), and "chmod 700" the folder.',
    details: { folder },
  });
}

/** Returns a person of the home, by default its only person. @throws {TradeAgentError} `not_found`, `usage` */
export async function findPerson({ people }: Pick<OpenHome, 'people'>, username: string | undefined) {
  const all = await people.list();
  const found = username === undefined ? all[0] : all.find((person) => person.username === username);
  const names = all.map((person) => person.username).join(', ');
  if (found === undefined) {
    throw new TradeAgentError(
      'not_found',
      username === undefined ? 'this home has no users' : `this home has no user "${username}"`,
      { hint: names === '' ? 'Add one with "trade-agent home user add".' : `Users: ${names}.` },
    );
  }
  if (username === undefined && all.length > 1) {
    throw new TradeAgentError('usage', `this home has several users: ${names}`, {
      hint: 'Choose one with --user.',
    });
  }
  return found;
}
