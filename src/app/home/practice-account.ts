import { randomBytes } from 'node:crypto';
import { TradeAgentError } from '../../errors/errors.ts';
import type { NamedBroker } from '../../gateway/broker/named-broker.ts';
import type { GatewaySettings } from '../../gateway/gateway-settings.ts';
import type { HomeSettings } from '../../home/settings/home-settings.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { listenOnLoopback } from '../../net/http-server.ts';
import { isPlainHttpLoopback } from '../../net/secure-url.ts';
import type { App } from '../app.ts';
import { createBrokerEntry } from './brokers.ts';
import { readGatewaySettings, readHomeSettings } from './home-files.ts';
import type { VerifiedNewAccount } from './init-home.ts';
import { findPerson, requireOwnHomeFolder, withHome } from './open-home.ts';

const FIRST_PORT = 4781;

/** Creates the account of a new practice home. Contacts no broker, because the home itself simulates the broker. */
export async function createPracticeAccount({ clock }: Pick<App, 'clock'>): Promise<VerifiedNewAccount> {
  const now = () => clock.now();
  const server = await listenOnLoopback(FIRST_PORT, now).catch(() => listenOnLoopback(0, now));
  await server.close();
  const entry = createBrokerEntry({ kind: 'alpaca', url: server.url, label: 'Practice', simulated: true });
  return { ...newAccount(), entry: { ...entry, label: 'the built-in practice broker' } };
}

function newAccount(): Pick<VerifiedNewAccount, 'pair' | 'account'> {
  return {
    // Alpaca's paper key IDs start with PK, and its paper account numbers with PA3.
    pair: {
      keyId: `PK${randomBytes(9).toString('hex').toUpperCase()}`,
      secret: randomBytes(30).toString('base64url'),
    },
    account: {
      accountNumber: `PA3${randomBytes(4).toString('hex').toUpperCase()}`,
      environment: 'paper',
      status: 'ACTIVE',
      tradingBlocked: false,
    },
  };
}

/**
 * Opens a practice account for another person. A running home uses the account after a restart.
 * @throws {TradeAgentError} `usage` if the person already has one, `not_found`, `invalid_config`
 */
export async function addPracticeAccount(
  app: Pick<App, 'clock' | 'env'>,
  { folder, username: called }: { readonly folder: string; readonly username: string | undefined },
) {
  return await withHome(app, folder, async (home) => {
    const broker = requirePracticeBroker(home.settings, home.gateway);
    const { username } = await findPerson(home, called);
    const store = home.keyPairs(broker);
    if ((await store.find(username)) !== undefined) {
      throw new TradeAgentError('usage', `${username} already has a practice account, which needs no keys`, {
        hint: 'Add a real broker with "trade-agent home broker add NAME".',
      });
    }
    const { pair, account } = newAccount();
    await store.keep(username, pair, account);
    failpoint('account.kept');
    return { username, broker: broker.name, account };
  });
}

/** Returns whether the named broker is simulated. @throws {TradeAgentError} `invalid_config` if there is no home */
export async function hasPracticeBroker(folder: string, name: string | undefined): Promise<boolean> {
  requireOwnHomeFolder(folder);
  return isPracticeBroker(await readHomeSettings(folder), await readGatewaySettings(folder), name);
}

/** Returns whether the home simulates a broker. @param name undefined for the home's only broker */
export function isPracticeBroker(
  { practice_broker: practice }: Pick<HomeSettings, 'practice_broker'>,
  { brokers }: Pick<GatewaySettings, 'brokers'>,
  name?: string,
): boolean {
  return practice !== undefined && practice === (name ?? (brokers.length === 1 ? brokers[0]?.name : undefined));
}

/** Requires that the broker is simulated, local and without real money. @throws {TradeAgentError} `invalid_config` */
export function requirePracticeBroker(
  { practice_broker: name }: Pick<HomeSettings, 'practice_broker'>,
  { brokers, environment, database }: Pick<GatewaySettings, 'brokers' | 'environment' | 'database'>,
): NamedBroker & { readonly trading_url: string } {
  const broker = brokers.find((one) => one.name === name);
  if (broker?.kind !== 'alpaca' || !broker.simulated || broker.credentials !== 'key_pair') {
    throw invalid(
      `${name} is not a simulated broker in gateway.yaml`,
      'Set its "kind: alpaca", "credentials: key_pair" and "simulated: true", or remove practice_broker.',
    );
  }
  const { trading_url: url, data_url: data } = broker;
  if (url === undefined || data !== undefined || !isLoopbackOrigin(url)) {
    throw invalid(
      `the broker ${name} must be on this machine`,
      `Set its "trading_url: http://127.0.0.1:${FIRST_PORT}", and no data_url.`,
    );
  }
  if (environment !== 'paper') {
    throw invalid(
      'a home with simulated money can’t trade live',
      'Create a separate home for the live account: "trade-agent home init --home FOLDER".',
    );
  }
  if (database !== undefined) {
    throw invalid(
      'a simulated broker needs the database in the home’s folder',
      'Remove practice_broker, and its broker from gateway.yaml.',
    );
  }
  return { ...broker, trading_url: url };
}

function isLoopbackOrigin(text: string): boolean {
  const url = new URL(text);
  return isPlainHttpLoopback(url) && url.hostname === '127.0.0.1' && url.port !== '';
}

function invalid(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `home.yaml: practice_broker: ${message}`, { hint });
}
