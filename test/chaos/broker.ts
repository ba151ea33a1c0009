import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { ActiveFaults } from '../../src/home/identity-provider/faults.ts';
import type { Market } from '../../src/sandbox/market/market.ts';
import { createPaperBroker } from '../../src/sandbox/paper-broker/paper-broker.ts';
import {
  authorize,
  CLIENT,
  exchangeCode,
  KEYS,
  PASSWORDS,
  REDIRECT_URI,
} from '../integration/sandbox/paper-broker-world.ts';

/** Of its tokens' clock, which stands still. */
const BROKER_TIME = Date.parse('2036-01-02T15:00:00Z');

export const accounts = ['alice', 'bob'] as const;
export const NUMBERS = { alice: 'PA3ALICE01', bob: 'PA3BOB0002' } as const;

/** Nothing listens there: requests go over the simulated network. */
const URL = 'http://127.0.0.1:1';

type Tokens = Readonly<Record<(typeof accounts)[number], string>>;

/** The broker's database as it is before anything is ordered, and whose tokens are in it. */
let opened: Promise<{ readonly image: Buffer; readonly tokens: Tokens }> | undefined;

/** The paper broker with accounts of alice's and bob's, and their tokens there. Each is a copy of one that was opened once. */
export async function startBroker(market: Market) {
  opened ??= openAccounts(market);
  const { image, tokens } = await opened;
  const database = new Database(image);
  const broker = createBroker(URL, market, database);
  return {
    url: URL,
    broker,
    tokens,
    close: () => {
      broker.close();
      database.close();
    },
  };
}

function createBroker(url: string, market: Market, database: Database.Database) {
  return createPaperBroker({
    url,
    database,
    market,
    // For its tokens, which are not what is tested: they live on while hours pass in the market.
    clock: {
      now: () => BROKER_TIME,
      monotonic: () => BROKER_TIME,
      sleep: (_, signal) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    },
    faults: new ActiveFaults(),
    users: accounts.map((username) => ({
      username,
      password: PASSWORDS[username],
      name: username,
      key: KEYS[username],
    })),
    oauthClients: [{ ...CLIENT, redirect_uris: [REDIRECT_URI] }],
    partialFills: false,
    requestsPerMinute: Number.MAX_SAFE_INTEGER,
  });
}

async function openAccounts(market: Market) {
  let listener: ReturnType<typeof getRequestListener> | undefined;
  const server = createServer((request, response) => void listener?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const database = new Database(':memory:');
  const broker = createBroker(url, market, database);
  listener = getRequestListener(broker.app.fetch);
  const tokenOf = async (username: (typeof accounts)[number]) => {
    const { code, verifier } = await authorize(url, username);
    const answer = await exchangeCode(url, code ?? '', verifier);
    const { access_token: token } = (await answer.json()) as { access_token: string };
    return token;
  };
  const tokens = { alice: await tokenOf('alice'), bob: await tokenOf('bob') };
  broker.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const image = database.serialize();
  database.close();
  return { image, tokens };
}
