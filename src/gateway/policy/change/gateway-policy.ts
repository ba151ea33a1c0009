import { createAuditChain } from '../../../approval/audit-chain.ts';
import type { Proposer } from '../../../approval/kind.ts';
import type { Clock } from '../../../machine/clock.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { Broker } from '../../broker/broker.ts';
import type { GatewayOptions } from '../../gateway-options.ts';
import type { RulesSource } from '../rules.ts';
import type { FolderRules } from '../rules-source.ts';
import { createPolicyDesk, type PolicyDesk } from './policy-desk.ts';

/** Where a gateway's rules are changed: in its folder, or, where they are fixed, nowhere. */
export function gatewayPolicy(
  options: Pick<GatewayOptions, 'approval' | 'stores'>,
  {
    rules,
    brokerFor,
    clock,
  }: {
    readonly rules: RulesSource;
    readonly brokerFor: (who: Proposer, account?: string) => Promise<Pick<Broker, 'account'>>;
    readonly clock: Clock;
  },
): PolicyDesk {
  if (!isInFolder(rules)) return fixedRules(rules);
  const { approval, stores } = options;
  rules.rememberIn(stores.limits, clock);
  const record = approval === undefined ? undefined : createAuditChain(approval.auditFile, stores.audit);
  return createPolicyDesk({
    rules,
    accountOf: async (who, account) => await (await brokerFor(who, account)).account(),
    note: async (note, now) => {
      await stores.audit.note(note, now);
      await record?.flush();
    },
    clock,
  });
}

function isInFolder(rules: RulesSource): rules is FolderRules {
  return 'folder' in rules;
}

function fixedRules(rules: RulesSource): PolicyDesk {
  const refuse = async () => {
    throw new Refusal(404, 'not_found', 'the rules of this gateway are not changed from afar');
  };
  return { plan: refuse, apply: refuse, tighten: refuse, digest: async () => (await rules.current()).digest };
}
