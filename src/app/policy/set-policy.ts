import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { PolicyChangeRequest } from '../../trading/kinds/policy-change.ts';
import type { Proposal, ProposalRequestInput } from '../../trading/proposal.ts';
import type { App } from '../app.ts';
import { changedLimits } from './limit-values.ts';

/** How the rules stand after all. */
export interface SetPolicy {
  /** `applied`: they hold; `pending`: they will, once the phone approves; `unchanged`: they were so before. */
  readonly outcome: 'applied' | 'pending' | 'unchanged';
  readonly account: string;
  /** Digests of the rules before, and as they are now. */
  readonly previous: string;
  readonly digest: string;
  /** A line for each thing that changes: `looser: One order $1,000.00 → $5,000.00`. */
  readonly changes: readonly string[];
  /** By which the phone was asked. */
  readonly proposal?: Proposal;
}

export interface PolicyEdit {
  /** `KEY=VALUE`, each. */
  readonly limits: readonly string[];
  /** Rule files by name: their text, or null for one that goes. */
  readonly policies?: Readonly<Record<string, string | null>>;
}

/**
 * Changes the rules of one's account. What is tighter holds at once; for what is looser the phone is asked.
 * @param ask puts the question to the owner, and resolves with the proposal as it stands when nobody waits any more
 * @throws {TradeAgentError} `usage` for what is no limit, `blocked`, `invalid_config` for rules that are wrong, and what
 *   stands for a no
 */
export async function setPolicy(
  app: Pick<App, 'gateway'>,
  { limits: pairs, policies = {} }: PolicyEdit,
  ask: (request: ProposalRequestInput) => Promise<Proposal>,
): Promise<SetPolicy> {
  const gateway = await app.gateway();
  const before = await gateway.policy();
  const { accountLimitsSchema } = await import('../../gateway/policy/limits.ts');
  const limits = changedLimits(before.limits, pairs, accountLimitsSchema);
  const change: PolicyChangeRequest = {
    base: before.digest,
    ...(pairs.length === 0 ? {} : { limits: limits as NonNullable<PolicyChangeRequest['limits']> }),
    ...(Object.keys(policies).length === 0 ? {} : { policies: { ...policies } }),
  };
  const { account, digest } = before;
  const standing = { account, previous: digest, digest };
  try {
    const changed = await gateway.changePolicy(change);
    return { outcome: 'applied', account, ...changed };
  } catch (error) {
    if (isTradeAgentError(error) && error.details.problem === 'rules_unchanged') {
      return { outcome: 'unchanged', ...standing, changes: [] };
    }
    if (!isTradeAgentError(error) || error.details.reason !== 'APPROVAL_MISSING') throw error;
  }
  const { base: _, ...said } = change;
  const { typed } = await import('../approvals/ask-and-wait.ts');
  const provenance = { fields: { ...typed(said).fields, base: { source: 'default' as const } } };
  const proposal = await ask({
    ...{ kind: 'policy_change', policy_change: change, requested_by: 'policy set' },
    provenance,
  });
  if (proposal.kind !== 'policy_change')
    throw new TradeAgentError('internal', 'the gateway asked for something else');
  const outcome = proposal.state === 'executed' ? 'applied' : 'pending';
  const now = outcome === 'applied' ? proposal.subject.digest : digest;
  return { outcome, ...standing, digest: now, changes: proposal.subject.changes, proposal };
}
