import { afterEach, beforeEach, describe } from 'vitest';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import { type Bench, type BrokerFixture, openBench } from './bench.ts';
import { cancellingCases } from './cancelling.ts';
import { deadlineCases } from './deadlines.ts';
import { exitCases } from './exits.ts';
import { losingCases } from './losing.ts';
import { failingReadCases, readingCases } from './reading.ts';
import { replacingCases } from './replacing.ts';
import { submittingCases } from './submitting.ts';
import { tellingCases } from './telling.ts';
import { termsCases } from './terms.ts';

/**
 * What every adapter promises (`Broker` in src/gateway/broker/broker.ts), tried on one. Each test has a fixture of its
 * own. docs/adding/broker.md says when to call it.
 * @param open starts the broker, or something that answers as it does
 */
export function brokerContract(traits: BrokerTraits, open: () => Promise<BrokerFixture>): void {
  let opened: Bench | undefined;
  const bench = (): Bench => {
    if (opened === undefined) throw new Error('the fixture is not open');
    return opened;
  };
  beforeEach(async () => {
    opened = await openBench(await open());
  });
  afterEach(async () => {
    await opened?.fixture.close();
    opened = undefined;
  });
  describe('an order', () => {
    submittingCases(bench, traits);
    losingCases(bench, traits);
    deadlineCases(bench, traits);
    cancellingCases(bench);
    tellingCases(bench, traits);
  });
  describe('a replacement', () => replacingCases(bench, traits));
  describe('what it takes', () => termsCases(bench, traits));
  describe('exits', () => exitCases(bench, traits));
  describe('a read', () => {
    readingCases(bench, traits);
    failingReadCases(bench);
  });
}
