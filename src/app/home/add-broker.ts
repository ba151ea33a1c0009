import type { Document } from 'yaml';
import { readNamedFile } from '../../config/named-file.ts';
import { parseYaml, readYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { KeptCredentials } from '../../gateway/broker/kept-kinds.ts';
import { brokerName, keyPlaceOf, type NamedBroker, ONLY_BROKER } from '../../gateway/broker/named-broker.ts';
import type { VerifiedAccount } from '../../gateway/broker/verify-problems.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import type { App } from '../app.ts';
import { accountFor } from './broker-account.ts';
import type { BrokerEntry } from './broker-entry.ts';
import { homeFiles, readGatewaySettings } from './home-files.ts';
import { requireOwnFolder, withHome } from './open-home.ts';
import { personOf } from './pair-phone.ts';
import { readHomeReady } from './ready-file.ts';

export interface NewBroker {
  readonly folder: string;
  /** What it is to be called in `gateway.yaml`. */
  readonly name: string;
  readonly entry: BrokerEntry;
  /** Whose account is the first there; the one who lives here, where nobody is named. */
  readonly username: string | undefined;
  readonly pair: KeptCredentials;
}

export interface AddedBroker {
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
