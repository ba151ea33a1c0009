import { describe, expect, it } from 'vitest';
import { setPolicy } from '../../../../src/app/policy/set-policy.ts';
import type { GatewayClient } from '../../../../src/tools/gateway/gateway-client.ts';
import { gatewayError } from '../../../../src/tools/gateway/gateway-problem.ts';
import type { PolicyChangeRequest } from '../../../../src/trading/kinds/policy-change.ts';
import type { Proposal, ProposalRequestInput } from '../../../../src/trading/proposal.ts';
import { policyView } from './policy-view.ts';

const changed = { previous: policyView.digest, digest: 'B'.repeat(43), changes: ['tighter: …'] };

/** A gateway that answers a change as told. */
function gateway(answer: () => typeof changed) {
  const asked: PolicyChangeRequest[] = [];
  const client = {
    policy: async () => policyView,
    changePolicy: async (change: PolicyChangeRequest) => {
      asked.push(change);
      return answer();
    },
  };
  return { asked, app: { gateway: async () => client as unknown as GatewayClient } };
}
const refuses =
  (status: number, code: string, members: object = {}) =>
  () => {
    throw gatewayError(status, { type: 'about:blank', title: code, status, code, detail: code, ...members });
  };
const nobody = async (): Promise<Proposal> => {
  throw new Error('nobody is to be asked');
};

describe('setting the rules', () => {
  it('sends all of the account’s limits, for the rules as they were looked at', async () => {
    const { app, asked } = gateway(() => changed);
    expect(await setPolicy(app, { limits: ['max_day_orders=5'] }, nobody)).toEqual({
      outcome: 'applied',
      account: policyView.account,
      ...changed,
    });
    expect(asked).toEqual([{ base: policyView.digest, limits: { max_order_notional: '1000', max_day_orders: 5 } }]);
  });

  it('sends no limits where a file of rules alone is meant', async () => {
    const { app, asked } = gateway(() => changed);
    await setPolicy(app, { limits: [], policies: { 'a.cedar': 'forbid …', 'b.cedar': null } }, nobody);
    expect(asked).toEqual([{ base: policyView.digest, policies: { 'a.cedar': 'forbid …', 'b.cedar': null } }]);
  });

  it('asks nobody where they are so already', async () => {
    const { app } = gateway(refuses(409, 'rules_unchanged'));
    expect(await setPolicy(app, { limits: ['max_day_orders=20'] }, nobody)).toMatchObject({
      outcome: 'unchanged',
      digest: policyView.digest,
      changes: [],
    });
  });

  it.each([
    ['executed', 'applied', 'C'.repeat(43)],
    ['requested', 'pending', policyView.digest],
  ])('asks the owner for what is looser, the same change; once that is %s it is %s', async (state, outcome, digest) => {
    const { app, asked } = gateway(refuses(403, 'policy_denied', { reason: 'APPROVAL_MISSING' }));
    const requests: ProposalRequestInput[] = [];
    const set = await setPolicy(app, { limits: ['max_day_orders=50'] }, async (request) => {
      requests.push(request);
      const subject = { digest: 'C'.repeat(43), changes: ['looser: …'] };
      return { kind: 'policy_change', state, subject } as unknown as Proposal;
    });
    expect(requests).toEqual([
      {
        ...{ kind: 'policy_change', policy_change: asked[0], requested_by: 'policy set' },
        provenance: { fields: { limits: { source: 'user' }, base: { source: 'default' } } },
      },
    ]);
    expect(set).toMatchObject({ outcome, digest, previous: policyView.digest, changes: ['looser: …'] });
  });

  it.each([
    ['another rule says no', 403, 'policy_denied', { reason: 'POLICY_FORBIDS' }, 'blocked'],
    ['they have changed since', 409, 'rules_stale', {}, 'gateway_refused'],
    ['they are wrong', 422, 'invalid_policy', {}, 'invalid_config'],
  ])('asks nobody where %s', async (_, status, problem, members, code) => {
    const { app } = gateway(refuses(status, problem, members));
    await expect(setPolicy(app, { limits: ['max_day_orders=5'] }, nobody)).rejects.toMatchObject({ code });
  });
});
