import { expect, it } from 'vitest';
import { brokerKinds, brokerSettingsSchema, findBrokerKind } from '../../../../src/gateway/broker/brokers.ts';
import { type OfferedBroker, offeredBrokers } from '../../../../src/gateway/broker/offered-brokers.ts';

it.each(brokerKinds)('%s is offered where kind and credentials say all that must be said of it', (kind) => {
  const { storedCredentials: kept } = findBrokerKind({ kind });
  const { success } = brokerSettingsSchema.safeParse({ kind, credentials: kept?.kinds[0] });
  expect(offeredBrokers.includes(kind as OfferedBroker)).toBe(success && kept !== undefined);
});

it.each(offeredBrokers)('%s takes an address of its own by the setting that it names', (kind) => {
  const { storedCredentials: kept, address } = findBrokerKind({ kind });
  const settings = { kind, credentials: kept?.kinds[0], [address]: 'http://127.0.0.1:5000' };
  expect(brokerSettingsSchema.parse(settings)).toMatchObject({ [address]: 'http://127.0.0.1:5000' });
});
