import { alpaca } from '../../../src/gateway/broker/alpaca/alpaca.ts';
import { brokerContract } from '../../contract/broker/broker-contract.ts';
import { startWorld } from '../sandbox/paper-broker-world.ts';

/** Alpaca's adapter by Alpaca's SDK, over HTTP to the sandbox's broker, which keeps to Alpaca's contract. */
brokerContract(alpaca.traits, async () => {
  const paper = await startWorld({ requestsPerMinute: 1e9 });
  return {
    settings: { kind: 'alpaca', trading_url: paper.url, simulated: true },
    token: await paper.token('alice'),
    symbol: 'AAPL',
    unknownSymbol: 'NOSUCH',
    close: () => paper.close(),
  };
});
