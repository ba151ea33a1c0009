import type Provider from 'oidc-provider';
import { expect, it } from 'vitest';
import type { ApprovalRequests } from '../../../../src/home/identity-provider/approval-requests.ts';
import { createDecisionDelivery } from '../../../../src/home/identity-provider/deliver-decision.ts';
import type { ActiveFaults } from '../../../../src/home/identity-provider/faults.ts';

it.each([
  ['signed with the phone’s key', { credential_id: 'key' }, ['pop', 'user']],
  ['given in a signed-in session', undefined, ['pwd']],
])('the ID token says how an approval was authenticated that was %s', async (_, evidence, amr) => {
  const results: { amr?: string[] }[] = [];
  class Grant {
    addOIDCScope() {}
    addResourceScope() {}
    async save() {}
  }
  const provider = {
    BackchannelAuthenticationRequest: { find: async () => ({}) },
    Grant,
    backchannelResult: async (_request: unknown, _grant: unknown, options: { amr?: string[] }) => results.push(options),
  };
  const request = { id: 'one', authReqId: 'a', status: 'approved', details: { type: 'trade_order' }, evidence };
  const delivery = createDecisionDelivery({
    provider: async () => provider as unknown as Provider,
    requests: {
      undelivered: async () => [request.id],
      deliverOnce: async (_id: string, deliver: (what: typeof request) => Promise<void>) => deliver(request),
    } as unknown as ApprovalRequests,
    resource: 'https://gateway.example',
    faults: { take: () => false } as unknown as ActiveFaults,
  });
  await delivery.all();
  expect(results).toMatchObject([{ amr }]);
});
