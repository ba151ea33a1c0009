import type { Document } from 'yaml';
import { readNamedFile } from '../../config/named-file.ts';
import { parseYaml, readYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { ActingTool } from '../../gateway/broker/acting-tool.ts';
import {
  type BrokerSettings,
  brokerOf,
  brokerSettingsSchema,
  traitsOf,
  type WrittenBroker,
} from '../../gateway/broker/brokers.ts';
import {
  type KeptCredentials,
  type KeptKind,
  keptKindNames,
  keptWords,
} from '../../gateway/broker/kept-kinds.ts';
import type { KeptKeyPair } from '../../gateway/broker/key-pairs.ts';
import { brokerName, keyPlaceOf, type NamedBroker, ONLY_BROKER } from '../../gateway/broker/named-broker.ts';
import type { OfferedBroker } from '../../gateway/broker/offered-brokers.ts';
import { keptKindOf, toolsOf, verifyCredentials } from '../../gateway/broker/verify-keys.ts';
import type { VerifiedAccount } from '../../gateway/broker/verify-problems.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { homeFiles, readGatewaySettings, readHomeReady } from './home-files.ts';
import { type OpenHome, personOf, requireOwnFolder, withHome } from './open-home.ts';

/** Whose keys at which broker; the one who lives here, and the only broker there is, where they are not named. */
interface WhoseKeys {
  readonly folder: string;
  readonly username: string | undefined;
  /** By its name in `gateway.yaml`. */
  readonly broker?: string | undefined;
}

/** A kept key pair, and which broker it is for. */
interface KeptKeys extends KeptKeyPair {
  readonly broker: string;
}

/**
 * What opens an account at the broker of this home, or at the one of them that is named.
 * @throws {TradeAgentError} `usage` where there is no home, and where the broker is to be named
 */
export async function whatIsKept(folder: string, name: string | undefined): Promise<KeptKind> {
  requireOwnFolder(folder);
  return keptKindOf(brokerNamed({ gateway: await readGatewaySettings(folder) }, name));
}

/**
 * Keeps another key pair for a person's account, from the next request on. The home serves either paper or live accounts:
 * one of the other kind is refused, and so is an account that they have under another broker's name already.
 * @param confirm asked about a live account before anything is kept
 * @throws {TradeAgentError} `usage`, `broker_rejected`, `broker_unreachable`, and what `confirm` throws
 */
export async function setBrokerKeys(
  app: Pick<App, 'clock' | 'fetch'>,
  { folder, username, broker: name, pair }: WhoseKeys & { readonly pair: KeptCredentials },
  confirm: (account: VerifiedAccount) => Promise<void>,
): Promise<{ readonly username: string; readonly broker: string; readonly account: VerifiedAccount }> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    const broker = brokerNamed(home, name);
    const account = await accountFor(app, home, { sub: person.username, broker, pair });
    await confirm(account);
    failpoint('account.verified');
    await home.keyPairs(broker).keep(person.username, pair, account);
    failpoint('account.kept');
    return { username: person.username, broker: broker.name, account };
  });
}

/**
 * The account that it opens, as one that this person may have here.
 * @param broker one of the home's, or one that is to be
 * @throws {TradeAgentError} `usage` for one of the other environment, and for one that they have under another broker's name;
 *   `broker_rejected`, `broker_unreachable`
 */
async function accountFor(
  { fetch }: Pick<App, 'fetch'>,
  home: Pick<OpenHome, 'keyPairs' | 'gateway'>,
  {
    sub,
    broker,
    pair,
  }: { readonly sub: string; readonly broker: NamedBroker; readonly pair: KeptCredentials },
): Promise<VerifiedAccount> {
  const { environment } = home.gateway;
  const account = await verifyCredentials(broker, pair, { environment, fetch });
  if (account.environment !== environment) {
    throw new TradeAgentError(
      'usage',
      `account ${account.accountNumber} is ${account.environment}; this home is ${environment}`,
      {
        hint: `Take the ${environment} account's keys, or make a home of its own for this account.`,
      },
    );
  }
  await requireNew(home, { sub, broker: broker.name, account });
  return account;
}

/** Whose accounts this home can open; nothing secret. */
export async function listBrokerKeys(app: Pick<App, 'clock'>, folder: string): Promise<KeptKeys[]> {
  return await withHome(app, folder, keptKeys);
}

/** By broker, in the order of the settings. */
export async function keptKeys({
  keyPairs,
  gateway,
}: Pick<OpenHome, 'keyPairs' | 'gateway'>): Promise<KeptKeys[]> {
  const lists = gateway.brokers.map(async (broker) =>
    (await keyPairs(broker).list()).map((kept) => ({ ...kept, broker: broker.name })),
  );
  return (await Promise.all(lists)).flat();
}

/** @throws {TradeAgentError} `not_found`, `usage` where the broker is to be named */
export async function removeBrokerKeys(
  app: Pick<App, 'clock'>,
  { folder, username, broker: name }: WhoseKeys,
): Promise<{ readonly username: string; readonly broker: string }> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    const broker = brokerNamed(home, name);
    if (await home.keyPairs(broker).remove(person.username)) {
      return { username: person.username, broker: broker.name };
    }
    throw new TradeAgentError('not_found', `there are no broker keys of ${person.username} here`, {
      hint: 'See "trade-agent home broker show".',
    });
  });
}

/** @throws {TradeAgentError} `usage` for one that is not there, and where there are several and none is named */
function brokerNamed(
  { gateway: { brokers } }: Pick<OpenHome, 'gateway'>,
  name: string | undefined,
): NamedBroker {
  const [first, another] = brokers;
  const names = brokers.map((one) => one.name).join(', ');
  if (name === undefined && first !== undefined && another === undefined) return first;
  const found = brokers.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new TradeAgentError(
    'usage',
    name === undefined ? 'this home has several brokers' : `this home has no broker "${name}"`,
    { hint: `Name one with --broker: ${names}. They stand below "brokers" in its gateway.yaml.` },
  );
}

/** One account under two names could be traded twice as far as its owner thinks. @throws {TradeAgentError} `usage` */
async function requireNew(
  home: Pick<OpenHome, 'keyPairs' | 'gateway'>,
  {
    sub,
    broker,
    account,
  }: { readonly sub: string; readonly broker: string; readonly account: VerifiedAccount },
): Promise<void> {
  const { accountNumber } = account;
  const other = (await keptKeys(home)).find(
    (kept) => kept.sub === sub && kept.accountNumber === accountNumber && kept.broker !== broker,
  );
  if (other === undefined) return;
  throw new TradeAgentError(
    'usage',
    `account ${accountNumber} is kept already, for the broker "${other.broker}"`,
    {
      hint: `Remove it there first: "trade-agent home broker remove --broker ${other.broker} --yes".`,
    },
  );
}

interface NewBroker {
  readonly folder: string;
  /** What it is to be called in `gateway.yaml`. */
  readonly name: string;
  readonly entry: BrokerEntry;
  /** Whose account is the first there; the one who lives here, where nobody is named. */
  readonly username: string | undefined;
  readonly pair: KeptCredentials;
}

interface AddedBroker {
  readonly username: string;
  readonly account: VerifiedAccount;
  /** All brokers of the home, in their order. */
  readonly brokers: readonly string[];
  /** A home that runs knows the brokers that it was started with. */
  readonly runs: boolean;
}

/** Milliseconds. Whoever holds it writes one file. */
const LOCK_WAIT_MS = 10_000;

/**
 * Refuses a name that no new broker of this home can have, before anybody has typed a secret.
 * @throws {TradeAgentError} `usage`; `invalid_config` where there is no home
 */
export async function requireNewBroker(folder: string, name: string): Promise<void> {
  requireOwnFolder(folder);
  requireFreeName(await readGatewaySettings(folder), name);
}

/**
 * Adds a broker to a home. What opens the account is tried there, and kept before `gateway.yaml` names the broker: whoever is
 * killed on the way leaves the home as it was, with something sealed in it that opens nothing until the next try replaces it.
 * @param confirm asked about a live account before anything is kept
 * @throws {TradeAgentError} `usage`, `broker_rejected`, `broker_unreachable`, `busy`, and what `confirm` throws
 */
export async function addBroker(
  app: Pick<App, 'clock' | 'fetch'>,
  { folder, name, entry, username, pair }: NewBroker,
  confirm: (account: VerifiedAccount) => Promise<void>,
): Promise<AddedBroker> {
  await requireNewBroker(folder, name);
  const { gateway: file, gatewayLock, ready } = homeFiles(folder);
  return await withHome(app, folder, async (home) => {
    const sub = personOf(home, username).username;
    const broker: NamedBroker = { ...entry.settings, name };
    const account = await accountFor(app, home, { sub, broker, pair });
    await confirm(account);
    failpoint('account.verified');
    return await withProcessLock(gatewayLock, { what: file, waitMs: LOCK_WAIT_MS }, async () => {
      const before = await readGatewaySettings(folder);
      requireFreeName(before, name);
      const text = await withBroker(file, before, name, entry);
      const { brokers } = await parseYaml(gatewaySettingsSchema, text, file);
      for (const one of before.brokers) {
        // Otherwise nobody could tell any more which of two of a kind it is for.
        const after = brokers.find((same) => same.name === one.name);
        if (after !== undefined && keyPlaceOf(after, brokers).before === undefined)
          await home.keyPairs(one, before.brokers).settle();
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
  const [issue] = brokerName.safeParse(name).error?.issues ?? [];
  if (issue !== undefined)
    throw refused(`the broker’s name ${issue.message}`, 'Name it shortly: ira, tradier.');
  if (name === ONLY_BROKER) {
    throw refused(`"${name}" stands for any broker of a home`, 'Give this one a name of its own.');
  }
  if (!brokers.some((one) => one.name === name)) return;
  throw refused(
    `this home has a broker "${name}" already`,
    `"trade-agent home broker set --broker ${name}" gives it other credentials.`,
  );
}

/**
 * `gateway.yaml` with one broker more; comments stay. The one of `broker:` becomes the first of `brokers:`, by its kind's
 * name. Where there are to be two of a kind it stays what its keys are kept under.
 * @throws {TradeAgentError} `invalid_config`
 */
async function withBroker(
  file: string,
  { brokers, brokersKey }: Pick<GatewaySettings, 'brokers' | 'brokersKey'>,
  name: string,
  { written, settings }: BrokerEntry,
): Promise<string> {
  const { document } = await readYaml(readNamedFile(file, 'gateway configuration', 'Is it a home?'), file);
  const [only] = brokers;
  if (brokersKey === 'broker' && only !== undefined) {
    const isAlone = only.kind !== settings.kind && only.kind !== name;
    renameOnly(document, isAlone ? only.kind : ONLY_BROKER, only);
  }
  document.setIn(['brokers', name], document.createNode(written));
  return document.toString();
}

/** In its place, so that what stands around it stays there. */
function renameOnly(document: Document, name: string, { kind }: NamedBroker): void {
  const items = (document.contents as { items?: { key: unknown; value: unknown }[] } | null)?.items ?? [];
  const pair = items.find(({ key }) => (key as { value?: unknown }).value === 'broker');
  const value = pair?.value ?? document.createNode({ kind });
  const brokers = document.createPair('brokers', document.createNode({}));
  (brokers.value as { set(key: string, value: unknown): void }).set(name, value);
  if (pair === undefined) document.add(brokers);
  else Object.assign(pair, { key: brokers.key, value: brokers.value });
}

/** A broker of a home, and whose accounts are opened there. */
interface ListedBroker {
  readonly name: string;
  readonly kind: string;
  /** What its owner calls it, or the broker's own name. */
  readonly label: string;
  readonly credentials: string;
  /** Where it is, where that is not at its own addresses. */
  readonly address: string | null;
  readonly accounts: readonly { readonly user: string; readonly number: string }[];
}

/** Asks no broker. @throws {TradeAgentError} `invalid_config` where there is no home */
export async function listBrokers(app: Pick<App, 'clock'>, folder: string): Promise<ListedBroker[]> {
  return await withHome(app, folder, async ({ gateway, keyPairs }) =>
    Promise.all(
      gateway.brokers.map(async (broker) => {
        const { address } = brokerOf(broker);
        const kept = await keyPairs(broker).list();
        return {
          name: broker.name,
          kind: broker.kind,
          label: broker.label ?? traitsOf(broker).label,
          credentials: broker.credentials ?? 'exchange',
          address: (broker as Readonly<Record<string, unknown>>)[address]?.toString() ?? null,
          accounts: kept.map(({ sub, accountNumber }) => ({ user: sub, number: accountNumber })),
        };
      }),
    ),
  );
}

/**
 * What a broker's own tools that send and cancel orders say of themselves now, and how they stand beside what `gateway.yaml`
 * confirms; asked for with a person's kept token.
 * @throws {TradeAgentError} `usage`, `not_found` where nothing of theirs is kept, `broker_rejected`, `broker_unreachable`
 */
export async function lookAtBrokerTools(
  app: Pick<App, 'clock' | 'fetch'>,
  { folder, username, broker: name }: WhoseKeys,
): Promise<{ readonly broker: string; readonly tools: readonly ActingTool[] }> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    const broker = brokerNamed(home, name);
    const look = toolsOf(broker);
    const kept = await home.keyPairs(broker).find(person.username);
    if (kept === undefined) {
      throw new TradeAgentError('not_found', `nothing of ${person.username} is kept for this broker`, {
        hint: 'Give it first: "trade-agent home broker set".',
      });
    }
    const { environment } = home.gateway;
    return {
      broker: broker.name,
      tools: await look(kept.pair, { environment, fetch: app.fetch }),
    };
  });
}

/** What whoever sets a broker up says of it. */
export interface BrokerChoice {
  readonly kind: OfferedBroker;
  /** What opens accounts there: a `KeptKind`; the first that the broker has, where it is not said. */
  readonly credentials?: string | undefined;
  /** Where the broker is, unless it is at its own addresses. */
  readonly url?: string | undefined;
  /** What its owner calls the account there. */
  readonly label?: string | undefined;
}

/** A broker as `gateway.yaml` is to have it, and as it is read from there. */
export interface BrokerEntry {
  readonly written: WrittenBroker;
  readonly settings: BrokerSettings;
  /** For people: the broker's own name. */
  readonly label: string;
}

/**
 * The entry of a broker whose accounts are opened by what people give.
 * @throws {TradeAgentError} `usage` for what can't be said of this kind of broker
 */
export function brokerEntry({ kind, credentials, url, label }: BrokerChoice): BrokerEntry {
  const { kept, address } = brokerOf({ kind });
  const kinds: readonly string[] = kept?.kinds ?? [];
  if (credentials !== undefined && !kinds.includes(credentials)) {
    // Not what it says: somebody may have typed a key there.
    throw usage(
      `--credentials names nothing that opens accounts of ${kind}`,
      `Choose ${kinds.join(' or ')}.`,
    );
  }
  const written = {
    kind,
    credentials: credentials ?? kinds[0],
    ...defined({ label }),
    ...(url === undefined ? {} : { [address]: url }),
  } as WrittenBroker;
  const { data, error } = brokerSettingsSchema.safeParse(written);
  if (data !== undefined) return { written, settings: data, label: traitsOf(data).label };
  const [issue] = error.issues;
  const about = issue?.path[0] === address ? 'the address of the broker' : (issue?.path.join('.') ?? kind);
  throw usage(`${about}: ${issue?.message}`, 'docs/guide/BROKERS.md says what each kind of broker takes.');
}

function usage(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', message, { hint: `${hint} Nothing was written.` });
}

/** Whether it is a part of some kind: then a line that begins with it is no secret that happens to have a "=". */
const isOthers = (name: string) =>
  keptKindNames.some((kind) =>
    Object.values(keptWords(kind).fields).some(({ names }) => names.includes(name)),
  );

/**
 * What opens an account, as a file has it: a line for each part in their order; or lines `key=…`, also by the names that the
 * broker's own tools use. Nothing of the text is in an error.
 * @throws {TradeAgentError} `usage`
 */
export function readKeptText(text: string, from: string, kind: KeptKind): KeptCredentials {
  const { noun } = keptWords(kind);
  const fields = Object.entries(keptWords(kind).fields);
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
    if (field === undefined && !isOthers(name)) bare.push(line);
    else if (field !== undefined) named.set(field, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  if (named.size === 0 && bare.length === fields.length) {
    for (const [at, [field]] of fields.entries()) named.set(field, bare[at] ?? '');
  }
  if (named.size === fields.length) return Object.fromEntries(named) as unknown as KeptCredentials;
  const labels = new Intl.ListFormat('en-GB').format(fields.map(([, { label }]) => label.toLowerCase()));
  const examples = fields.map(([, { names }]) => `"${names[0]}=…"`).join(', ');
  throw new TradeAgentError('usage', `${from} holds no ${noun}`, {
    hint: `Write ${labels} on a line each, in this order, or ${examples}.`,
  });
}
