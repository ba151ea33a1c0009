import { randomBytes } from 'node:crypto';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { createBrokerCredentialStore } from '../../gateway/broker/key-pairs.ts';
import { toBrokerCredentialLocation } from '../../gateway/broker/named-broker.ts';
import type { GatewaySettings } from '../../gateway/gateway-settings.ts';
import { ActiveFaults } from '../../home/identity-provider/faults.ts';
import type { HomeSettings } from '../../home/settings/home-settings.ts';
import { listenOnLoopback } from '../../net/http-server.ts';
import { createMarket } from '../../sandbox/market/market.ts';
import { createPaperBroker, type PaperBrokerOptions } from '../../sandbox/paper-broker/paper-broker.ts';
import { addDays, newYorkDate } from '../../trading/new-york-time.ts';
import type { App } from '../app.ts';
import type { RegisterCleanup } from '../serve.ts';
import type { HomeDatabase } from './home-database.ts';
import { DATABASE_WAIT_MS, homeFilePaths } from './home-files.ts';
import { requirePracticeBroker } from './practice-account.ts';

const DEPOSIT = '100000';
/** Seed of the simulated prices. All practice homes have the same prices. */
const MARKET_SEED = 'practice';

interface PracticeHome {
  readonly folder: string;
  readonly settings: HomeSettings;
  readonly gateway: GatewaySettings;
  readonly database: HomeDatabase;
  readonly clock: App['clock'];
}

/**
 * Starts a practice home's simulated broker and market on loopback. Accounts, positions and orders are stored in the
 * home's folder.
 * @throws {TradeAgentError} `port_in_use`, `invalid_config`
 */
export async function startPracticeBroker(home: PracticeHome, onClose: RegisterCleanup): Promise<void> {
  const { folder, settings, gateway, clock } = home;
  const { name, trading_url: url } = requirePracticeBroker(settings, gateway);
  const server = await listenOnLoopback(Number(new URL(url).port), () => clock.now()).catch((error: unknown) => {
    if (!isTradeAgentError(error) || error.code !== 'port_in_use') throw error;
    throw new TradeAgentError('port_in_use', `another program uses ${url}, the address of the practice broker`, {
      hint: `Stop that program, or choose another port for "trading_url" of "${name}" in gateway.yaml.`,
      cause: error,
    });
  });
  onClose(() => server.close());
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  const database = new Database(homeFilePaths(folder).practiceDatabase, { timeout: DATABASE_WAIT_MS });
  onClose(() => database.close());
  const paper = createPaperBroker({
    url,
    database,
    users: await practiceUsers(home),
    oauthClients: [],
    partialFills: false,
    clock,
    faults: new ActiveFaults(),
    // The simulated market is always open, so that a first order fills at any hour.
    market: createMarket({ seed: MARKET_SEED, clock, hours: 'always' }),
  });
  onClose(() => paper.close());
  server.serveApp(paper.app);
  server.serveUpgrades(paper.upgrade);
}

/** Returns the people with a practice account. Each account accepts the credentials that the home has for its owner. */
async function practiceUsers({ settings, gateway, database: { stores, secrets }, clock }: PracticeHome) {
  const kept = createBrokerCredentialStore({
    store: stores.brokerKeys,
    sealSecret: secrets.sealSecret,
    now: () => clock.now(),
    broker: toBrokerCredentialLocation(requirePracticeBroker(settings, gateway), gateway.brokers),
  });
  // Deposited the day before, so that the deposit does not count as today's gain.
  const date = addDays(newYorkDate(clock.now()), -1);
  const users: PaperBrokerOptions['users'][number][] = [];
  for (const { sub, accountNumber } of await kept.list()) {
    const found = await kept.find(sub);
    if (found === undefined || !('keyId' in found.pair)) continue;
    users.push({
      username: sub,
      name: sub,
      key: found.pair,
      // A random password, because nobody signs in at the simulated broker's page.
      password: randomBytes(30).toString('base64url'),
      story: { number: accountNumber, events: [{ date, entry: { type: 'CSD', amount: DEPOSIT } }] },
    });
  }
  return users;
}
