import { expect, it } from 'vitest';
import type { IdentityProvider } from '../../../src/gateway/auth/identity-provider.ts';
import { brokerListSettingsShape, toNamedBrokers } from '../../../src/gateway/broker/named-broker.ts';
import { createBrokerAccess } from '../../../src/gateway/broker-access.ts';
import type { GatewayOptions, RequestRateLimits } from '../../../src/gateway/gateway-options.ts';
import type { RateBuckets } from '../../../src/store/rate-buckets.ts';

/** By which buckets, and how fast, alice's account is asked at a broker that is set so. */
async function bucketsAt(settings: object, rates?: RequestRateLimits): Promise<[string, unknown][]> {
  const asked: [string, unknown][] = [];
  const buckets: RateBuckets = {
    take: async (bucket, rate) => {
      asked.push([bucket, rate]);
      return 0;
    },
  };
  const broker = brokerListSettingsShape.broker.parse({ credentials: 'key_pair', ...settings });
  const options = {
    ...{ brokers: toNamedBrokers({ broker }), environment: 'paper', sealSecret: 'secret', stores: { buckets } },
    ...(rates && { rates }),
  } as unknown as GatewayOptions;
  const requests = {
    fetch: async () => new Response(),
    now: Date.now,
    brokerTimeoutMs: 1,
    providerTimeoutMs: 1,
  };
  const [place] = createBrokerAccess(options, {} as IdentityProvider, requests).places;
  await place?.sendFor('alice')('https://broker.example', { method: 'POST' });
  return asked;
}

const documented = { perSecond: 100 / 60, burst: 100 };

it('an account is asked as fast as the broker says, at its own addresses', async () => {
  expect(await bucketsAt({ kind: 'alpaca' })).toEqual([['broker|broker|alice|broker.example', documented]]);
  // In any minute that is no more than it takes.
  expect(documented.burst + 60 * documented.perSecond).toBe(200);
});

it.each([
  ['elsewhere, and nothing is set', { kind: 'alpaca', trading_url: 'http://localhost:1' }, undefined, undefined],
  ['where nothing is documented', { kind: 'tradier', credentials: 'access_token' }, undefined, undefined],
  ['where it is turned off', { kind: 'alpaca' }, { broker: 'off' } as const, undefined],
  ['where it is set', { kind: 'alpaca' }, { broker: { perSecond: 9, burst: 9 } }, { perSecond: 9, burst: 9 }],
])('and as the settings say %s', async (_, settings, rates, rate) => {
  expect((await bucketsAt(settings, rates)).map(([, one]) => one)).toEqual(rate === undefined ? [] : [rate]);
});
