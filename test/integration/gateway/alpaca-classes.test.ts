import { describe } from 'vitest';
import { alpacaBrokerKind } from '../../../src/gateway/broker/alpaca/alpaca.ts';
import { classContract, type OtherClass } from '../../contract/broker/classes.ts';
import { KEYS, startWorld } from '../sandbox/paper-broker-world.ts';

/** Alpaca's adapter by Alpaca's SDK, over HTTP to the sandbox's broker, which keeps to Alpaca's contract. */
describe.each<[string, OtherClass]>([
  ['crypto', { symbol: 'BTC/USD', qty: '0.01', bars: true }],
  ['an option', { symbol: 'AAPL261218C00230000', qty: '1', bars: true }],
])('%s', (_, other) => {
  classContract(alpacaBrokerKind.traits, async () => {
    const paper = await startWorld({ requestsPerMinute: 1e9 });
    return {
      other,
      fixture: {
        settings: { kind: 'alpaca', credentials: 'key_pair', trading_url: paper.url, simulated: true },
        credentials: KEYS.alice,
        symbol: 'AAPL',
        unknownSymbol: 'NOSUCH',
        close: () => paper.close(),
      },
    };
  });
});
