import { describe } from 'vitest';
import { alpacaBrokerKind } from '../../../src/gateway/broker/alpaca/alpaca.ts';
import type { AccountCredentials } from '../../../src/gateway/broker/broker-credentials.ts';
import { brokerContract } from '../../contract/broker/broker-contract.ts';
import { KEYS, startWorld, type World } from '../sandbox/paper-broker-world.ts';

/** Alpaca's adapter by Alpaca's SDK, over HTTP to the sandbox's broker, which keeps to Alpaca's contract. */
describe.each<[string, 'exchange' | 'key_pair', (paper: World) => Promise<AccountCredentials>]>([
  ['by an access token', 'exchange', async (paper) => ({ accessToken: await paper.token('alice') })],
  ['by a key pair', 'key_pair', async () => KEYS.alice],
])('%s', (_, credentials, credentialsAt) => {
  brokerContract(alpacaBrokerKind.traits, async () => {
    const paper = await startWorld({ requestsPerMinute: 1e9 });
    return {
      settings: { kind: 'alpaca', credentials, trading_url: paper.url, simulated: true },
      credentials: await credentialsAt(paper),
      symbol: 'AAPL',
      unknownSymbol: 'NOSUCH',
      close: () => paper.close(),
    };
  });
});
