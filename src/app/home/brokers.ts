import type { Document } from 'yaml';
import { readRequiredFile } from '../../config/required-file.ts';
import { parseYaml, parseYamlDocument } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import {
  type BrokerSettings,
  type BrokerSettingsInput,
  brokerSettingsSchema,
  findBrokerKind,
  resolveBrokerTraits,
} from '../../gateway/broker/brokers.ts';
import {
  brokerNameSchema,
  type NamedBroker,
  SINGLE_BROKER_NAME,
  toBrokerCredentialLocation,
} from '../../gateway/broker/named-broker.ts';
import type { OfferedBroker } from '../../gateway/broker/offered-brokers.ts';
import {
  type CredentialKind,
  credentialKindNames,
  getCredentialTexts,
  type StoredCredentials,
} from '../../gateway/broker/stored-kinds.ts';
import { requireCredentialKind, requireToolInspector, verifyCredentials } from '../../gateway/broker/verify-keys.ts';
import type { VerifiedAccount } from '../../gateway/broker/verify-problems.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { homeFilePaths, readGatewaySettings, readHomeReady } from './home-files.ts';
import { findPerson, type OpenHome, requireOwnHomeFolder, withHome } from './open-home.ts';

/** A person and a broker of a home. A missing property means the home's only person or only broker. */
interface KeyOwner {
  readonly folder: string;
  readonly username: string | undefined;
  /** The broker's name in `gateway.yaml`. */
  readonly broker?: string | undefined;
}

/**
 * Returns the kind of credentials that a broker of this home accepts.
 * @throws {TradeAgentError} `usage` if there is no home, or if there are several brokers and none is named
 */
export async function findCredentialKind(folder: string, name: string | undefined): Promise<CredentialKind> {
  requireOwnHomeFolder(folder);
  return requireCredentialKind(findBroker({ gateway: await readGatewaySettings(folder) }, name));
}

/**
 * Replaces a person's credentials. A running home uses the new credentials from the next request on.
 * @param confirm asks about a live account before anything is stored
 * @throws {TradeAgentError} `usage` for an account that is stored for another broker, or if a live account is added to
 *   a paper home or the reverse; `broker_rejected`, `broker_unreachable`, and any error from `confirm`
 */
export async function setBrokerKeys(
  app: Pick<App, 'clock' | 'env' | 'fetch'>,
  { folder, username, broker: name, pair }: KeyOwner & { readonly pair: StoredCredentials },
  confirm: (account: VerifiedAccount) => Promise<void>,
) {
  return await withHome(app, folder, async (home) => {
    const person = await findPerson(home, username);
    const broker = findBroker(home, name);
    const account = await verifyAccount(app, home, person.username, broker, pair);
    await confirm(account);
    failpoint('account.verified');
    await home.keyPairs(broker).keep(person.username, pair, account);
    failpoint('account.kept');
    return { username: person.username, broker: broker.name, account };
  });
}

/** Returns the account that the credentials give access to. @throws {TradeAgentError} see {@link setBrokerKeys} */
async function verifyAccount(
  { fetch }: Pick<App, 'fetch'>,
  home: Pick<OpenHome, 'keyPairs' | 'gateway'>,
  sub: string,
  broker: NamedBroker,
  pair: StoredCredentials,
): Promise<VerifiedAccount> {
  const { environment } = home.gateway;
  const account = await verifyCredentials(broker, pair, { environment, fetch });
  if (account.environment !== environment) {
    throw new TradeAgentError(
      'usage',
      `account ${account.accountNumber} is ${account.environment}; this home is ${environment}`,
      { hint: `Use the ${environment} account's keys, or create a separate home for this account.` },
    );
  }
  await requireNewAccount(home, sub, broker.name, account);
  return account;
}

/** Lists the accounts for which this home has credentials, without secrets. */
export async function listBrokerKeys(app: Pick<App, 'clock' | 'env'>, folder: string) {
  return await withHome(app, folder, listStoredAccounts);
}

/** Returns the stored accounts, grouped by broker in the order of the settings. */
export async function listStoredAccounts({ keyPairs, gateway }: Pick<OpenHome, 'keyPairs' | 'gateway'>) {
  const lists = gateway.brokers.map(async (broker) =>
    (await keyPairs(broker).list()).map((kept) => ({ ...kept, broker: broker.name })),
  );
  return (await Promise.all(lists)).flat();
}

/** Removes a person's credentials. @throws {TradeAgentError} `not_found`; `usage` if there are several brokers */
export async function removeBrokerKeys(app: Pick<App, 'clock' | 'env'>, { folder, username, broker: name }: KeyOwner) {
  return await withHome(app, folder, async (home) => {
    const person = await findPerson(home, username);
    const broker = findBroker(home, name);
    if (await home.keyPairs(broker).remove(person.username)) {
      return { username: person.username, broker: broker.name };
    }
    throw new TradeAgentError('not_found', `${person.username} has no broker keys here`, {
      hint: 'Run "trade-agent home broker show" to list them.',
    });
  });
}

/** Finds a broker by name, or the only broker. @throws {TradeAgentError} `usage` for an unknown or missing name */
function findBroker({ gateway: { brokers } }: Pick<OpenHome, 'gateway'>, name: string | undefined): NamedBroker {
  const [first, another] = brokers;
  const names = brokers.map((one) => one.name).join(', ');
  if (name === undefined && first !== undefined && another === undefined) return first;
  const found = brokers.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new TradeAgentError(
    'usage',
    name === undefined ? 'this home has several brokers' : `this home has no broker "${name}"`,
    { hint: `Choose one with --broker: ${names}. The brokers are listed under "brokers" in gateway.yaml.` },
  );
}

/** Rejects an account that is stored for another broker. Orders through both could reach twice its limits. */
async function requireNewAccount(
  home: Pick<OpenHome, 'keyPairs' | 'gateway'>,
  sub: string,
  broker: string,
  { accountNumber }: VerifiedAccount,
): Promise<void> {
  const other = (await listStoredAccounts(home)).find(
    (kept) => kept.sub === sub && kept.accountNumber === accountNumber && kept.broker !== broker,
  );
  if (other === undefined) return;
  throw new TradeAgentError('usage', `account ${accountNumber} is already stored for the broker "${other.broker}"`, {
    hint: `Remove it there first: "trade-agent home broker remove --broker ${other.broker} --yes".`,
  });
}

interface NewBroker {
  readonly folder: string;
  /** The broker's name in `gateway.yaml`. */
  readonly name: string;
  readonly entry: BrokerEntry;
  /** The person whose account is added first. Defaults to the home's only person. */
  readonly username: string | undefined;
  readonly pair: StoredCredentials;
}

const LOCK_WAIT_MS = 10_000;

/** Rejects an invalid or taken name early. @throws {TradeAgentError} `usage`; `invalid_config` if there is no home */
export async function requireNewBroker(folder: string, name: string): Promise<void> {
  requireOwnHomeFolder(folder);
  requireFreeName(await readGatewaySettings(folder), name);
}

/**
 * Adds a broker to a home. The credentials are verified and stored before `gateway.yaml` names the broker. If the
 * process is killed in between, the home works as before, and the next attempt replaces the stored credentials, which
 * are unused.
 * @param confirm asks about a live account before anything is stored
 * @returns the names of all brokers, and whether a running home still uses the old settings
 * @throws {TradeAgentError} `usage`, `broker_rejected`, `broker_unreachable`, `busy`, and any error from `confirm`
 */
export async function addBroker(
  app: Pick<App, 'clock' | 'env' | 'fetch'>,
  { folder, name, entry, username, pair }: NewBroker,
  confirm: (account: VerifiedAccount) => Promise<void>,
) {
  await requireNewBroker(folder, name);
  const { gateway: file, gatewayLock, ready } = homeFilePaths(folder);
  return await withHome(app, folder, async (home) => {
    const { username: sub } = await findPerson(home, username);
    const broker: NamedBroker = { ...entry.settings, name };
    const account = await verifyAccount(app, home, sub, broker, pair);
    await confirm(account);
    failpoint('account.verified');
    return await withProcessLock(gatewayLock, { what: file, waitMs: LOCK_WAIT_MS }, async () => {
      const before = await readGatewaySettings(folder);
      requireFreeName(before, name);
      const text = await withBroker(file, before, name, entry);
      const { brokers } = await parseYaml(gatewaySettingsSchema, text, file);
      for (const one of before.brokers) {
        // Stores the credentials under the new name, because two brokers of one kind would make the old one ambiguous.
        const after = brokers.find((same) => same.name === one.name);
        if (after !== undefined && toBrokerCredentialLocation(after, brokers).formerName === undefined)
          await home.keyPairs(one, before.brokers).moveFormerRows();
      }
      await home.keyPairs(broker, brokers).keep(sub, pair, account);
      failpoint('account.kept');
      writePrivateFile(file, text);
      failpoint('broker.named');
      const runs = readHomeReady(ready) !== undefined;
      return { username: sub, account, brokers: brokers.map((one) => one.name), runs };
    });
  });
}

function requireFreeName({ brokers }: Pick<GatewaySettings, 'brokers'>, name: string): void {
  const refused = (message: string, hint: string) =>
    new TradeAgentError('usage', message, { hint: `${hint} Nothing was written.` });
  const [issue] = brokerNameSchema.safeParse(name).error?.issues ?? [];
  if (issue !== undefined)
    throw refused(`the broker’s name ${issue.message}`, 'Choose a short name, such as ira or tradier.');
  if (name === SINGLE_BROKER_NAME) {
    throw refused(`the broker name "${name}" is reserved`, 'Choose another name.');
  }
  if (!brokers.some((one) => one.name === name)) return;
  throw refused(
    `this home already has a broker "${name}"`,
    `To change its credentials, run "trade-agent home broker set --broker ${name}".`,
  );
}

/**
 * Returns `gateway.yaml` with one more broker. Preserves comments. The broker in `broker:` becomes the first entry of
 * `brokers:`, named after its kind. If the new broker has the same kind or that name, the first broker keeps the name
 * under which its credentials are stored.
 * @throws {TradeAgentError} `invalid_config`
 */
async function withBroker(
  file: string,
  { brokers, brokersKey }: Pick<GatewaySettings, 'brokers' | 'brokersKey'>,
  name: string,
  { written, settings }: BrokerEntry,
): Promise<string> {
  const { document } = await parseYamlDocument(
    readRequiredFile(file, 'gateway configuration', 'Check that this folder is a home.'),
    file,
  );
  const [only] = brokers;
  if (brokersKey === 'broker' && only !== undefined) {
    const isAlone = only.kind !== settings.kind && only.kind !== name;
    renameOnlyBroker(document, isAlone ? only.kind : SINGLE_BROKER_NAME, only);
  }
  document.setIn(['brokers', name], document.createNode(written));
  return document.toString();
}

/** Renames the only broker's entry in place, to preserve the comments around it. */
function renameOnlyBroker(document: Document, name: string, { kind }: NamedBroker): void {
  const items = (document.contents as { items?: { key: unknown; value: unknown }[] } | null)?.items ?? [];
  const pair = items.find(({ key }) => (key as { value?: unknown }).value === 'broker');
  const value = pair?.value ?? document.createNode({ kind });
  const brokers = document.createPair('brokers', document.createNode({}));
  (brokers.value as { set(key: string, value: unknown): void }).set(name, value);
  if (pair === undefined) document.add(brokers);
  else Object.assign(pair, { key: brokers.key, value: brokers.value });
}

/** Lists a home's brokers and their accounts. Contacts no broker. @throws {TradeAgentError} `invalid_config` */
export async function listBrokers(app: Pick<App, 'clock' | 'env'>, folder: string) {
  return await withHome(app, folder, async ({ gateway, keyPairs }) =>
    Promise.all(
      gateway.brokers.map(async (broker) => {
        const { address } = findBrokerKind(broker);
        const kept = await keyPairs(broker).list();
        return {
          name: broker.name,
          kind: broker.kind,
          label: broker.label ?? resolveBrokerTraits(broker).label,
          credentials: broker.credentials ?? 'exchange',
          address: (broker as Readonly<Record<string, unknown>>)[address]?.toString() ?? null,
          accounts: kept.map(({ sub, accountNumber }) => ({ user: sub, number: accountNumber })),
        };
      }),
    ),
  );
}

/**
 * Fetches the current descriptions of a broker's tools that send and cancel orders, and compares them with the
 * descriptions confirmed in `gateway.yaml`. Uses a person's stored token.
 * @throws {TradeAgentError} `usage`, `not_found` if the person has no stored credentials, `broker_rejected`,
 *   `broker_unreachable`
 */
export async function inspectBrokerTools(
  app: Pick<App, 'clock' | 'env' | 'fetch'>,
  { folder, username, broker: name }: KeyOwner,
) {
  return await withHome(app, folder, async (home) => {
    const person = await findPerson(home, username);
    const broker = findBroker(home, name);
    const look = requireToolInspector(broker);
    const kept = await home.keyPairs(broker).find(person.username);
    if (kept === undefined) {
      throw new TradeAgentError('not_found', `${person.username} has no stored credentials for this broker`, {
        hint: 'Add them first: "trade-agent home broker set".',
      });
    }
    const { environment } = home.gateway;
    return { broker: broker.name, tools: await look(kept.pair, { environment, fetch: app.fetch }) };
  });
}

export interface BrokerChoice {
  readonly kind: OfferedBroker;
  /** A `CredentialKind`. Defaults to the first kind that the broker accepts. */
  readonly credentials?: string | undefined;
  /** The broker's address. Defaults to the kind's usual address. */
  readonly url?: string | undefined;
  readonly label?: string | undefined;
  /** Set if prices and fills are simulated. */
  readonly simulated?: true;
}

/** A broker's settings, as written to `gateway.yaml` and as parsed from it. */
export interface BrokerEntry {
  readonly written: BrokerSettingsInput;
  readonly settings: BrokerSettings;
  readonly label: string;
}

/** Creates a broker's settings. @throws {TradeAgentError} `usage` for settings that this kind doesn't accept */
export function createBrokerEntry({ kind, credentials, url, label, simulated }: BrokerChoice): BrokerEntry {
  const { storedCredentials: kept, address } = findBrokerKind({ kind });
  const kinds: readonly string[] = kept?.kinds ?? [];
  if (credentials !== undefined && !kinds.includes(credentials)) {
    // The message omits the value, because the person may have typed a key there.
    throw usageError(
      `--credentials is not a type of credentials for ${kind} accounts`,
      `Choose ${kinds.join(' or ')}.`,
    );
  }
  const written = {
    kind,
    credentials: credentials ?? kinds[0],
    ...defined({ label, simulated }),
    ...(url === undefined ? {} : { [address]: url }),
  } as BrokerSettingsInput;
  const { data, error } = brokerSettingsSchema.safeParse(written);
  if (data !== undefined) return { written, settings: data, label: resolveBrokerTraits(data).label };
  const [issue] = error.issues;
  const about = issue?.path[0] === address ? 'the address of the broker' : (issue?.path.join('.') ?? kind);
  throw usageError(`${about}: ${issue?.message}`, 'See docs/guide/BROKERS.md for the settings of each broker.');
}

function usageError(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', message, { hint: `${hint} Nothing was written.` });
}

/** Returns whether another kind of credentials has this field. If not, `NAME=…` may be a secret with a "=" in it. */
const isOtherKindsField = (name: string) =>
  credentialKindNames.some((kind) =>
    Object.values(getCredentialTexts(kind).fields).some(({ names }) => names.includes(name)),
  );

/**
 * Reads credentials from text: one line per field, in the order of the fields, or `name=…` lines. The broker's own
 * names for the fields are also accepted. Error messages never quote the text.
 * @throws {TradeAgentError} `usage`
 */
export function parseCredentialsText(text: string, from: string, kind: CredentialKind): StoredCredentials {
  const { noun } = getCredentialTexts(kind);
  const fields = Object.entries(getCredentialTexts(kind).fields);
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const named = new Map<string, string>();
  const bare: string[] = [];
  for (const line of lines) {
    const [, word = '', value = ''] = /^(?:export\s+)?([A-Za-z_-]+)\s*[=:]\s*(.+)$/.exec(line) ?? [];
    const name = word.toLowerCase().replaceAll('-', '_');
    const [field] = fields.find(([, { names }]) => names.includes(name)) ?? [];
    if (field === undefined && !isOtherKindsField(name)) bare.push(line);
    else if (field !== undefined) named.set(field, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  if (named.size === 0 && bare.length === fields.length) {
    for (const [at, [field]] of fields.entries()) named.set(field, bare[at] ?? '');
  }
  if (named.size === fields.length) return Object.fromEntries(named) as unknown as StoredCredentials;
  const labels = new Intl.ListFormat('en-GB').format(fields.map(([, { label }]) => label.toLowerCase()));
  const examples = fields.map(([, { names }]) => `"${names[0]}=…"`).join(', ');
  throw new TradeAgentError('usage', `${from} contains no ${noun}`, {
    hint: `Write the ${labels}${fields.length > 1 ? ', each on its own line and in this order' : ''}, or ${examples}.`,
  });
}
