import { TradeAgentError } from '../../errors/errors.ts';
import type { KeptCredentials, KeptKind } from '../../gateway/broker/kept-kinds.ts';
import type { KeptKeyPair } from '../../gateway/broker/key-pairs.ts';
import type { NamedBroker } from '../../gateway/broker/named-broker.ts';
import { keptKindOf, verifyCredentials } from '../../gateway/broker/verify-keys.ts';
import type { VerifiedAccount } from '../../gateway/broker/verify-problems.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { App } from '../app.ts';

import { readGatewaySettings } from './home-files.ts';
import { type OpenHome, requireOwnFolder, withHome } from './open-home.ts';
import { personOf } from './pair-phone.ts';

/** Whose keys at which broker; the one who lives here, and the only broker there is, where they are not named. */
export interface WhoseKeys {
  readonly folder: string;
  readonly username: string | undefined;
  /** By its name in `gateway.yaml`. */
  readonly broker?: string | undefined;
}

/** A kept key pair, and which broker it is for. */
export interface KeptKeys extends KeptKeyPair {
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
export async function accountFor(
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
export function brokerNamed(
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
