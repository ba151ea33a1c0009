import { approvalView } from '../../../agent/graph/proposal-view.ts';
import { askAndLeave, askAndWait } from '../../../app/approvals/ask-and-wait.ts';
import { type ExitCode, exits } from '../../../app/exit-codes.ts';
import { readRuleTexts } from '../../../app/policy/rule-texts.ts';
import { type SetPolicy, setPolicy } from '../../../app/policy/set-policy.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { Proposal, ProposalRequestInput } from '../../../trading/proposal.ts';
import type { Context } from '../../context.ts';

export interface SetOptions {
  readonly approval: 'wait' | 'detach' | 'deny';
  readonly rules: readonly string[];
  readonly remove: readonly string[];
}

export async function changeRules(
  context: Context,
  limits: readonly string[],
  { approval, rules, remove }: SetOptions,
): Promise<ExitCode> {
  const policies = { ...readRuleTexts(rules), ...Object.fromEntries(remove.map((name) => [name, null])) };
  if (limits.length + Object.keys(policies).length === 0) {
    throw new TradeAgentError('usage', 'there is nothing to set', {
      hint: 'For example: trade-agent policy set max_order_notional=500.',
    });
  }
  const set = await setPolicy(context, { limits, policies }, (request) => asked(context, request, approval));
  const { proposal, ...result } = set;
  await context.output.result(
    'policy-set',
    { ...result, ...(proposal === undefined ? {} : { approval: approvalView(proposal, '') }) },
    () => setText(set),
  );
  return set.outcome === 'pending' ? exits.pending : exits.done;
}

async function asked(
  context: Context,
  request: ProposalRequestInput,
  approval: SetOptions['approval'],
): Promise<Proposal> {
  if (approval === 'deny') {
    throw new TradeAgentError(
      'approval_denied',
      'more would be possible by this, and --approval deny asks nobody',
      {
        hint: 'The rules are as they were.',
      },
    );
  }
  const { showAsking } = await import('../../run/asked-proposal.ts');
  const asking = await showAsking(context);
  return approval === 'wait' ? askAndWait(context, request, asking) : askAndLeave(context, request, asking);
}

function setText({ outcome, changes, proposal }: SetPolicy): string {
  const lines = changes.map((line) => `  ${safeLine(line)}`);
  switch (outcome) {
    case 'unchanged':
      return 'The rules are so already.';
    case 'pending':
      return [
        `Waiting for your phone (${proposal?.code ?? ''}); until then the rules are as they were:`,
        ...lines,
      ].join('\n');
    case 'applied':
      return ['The rules are changed:', ...lines].join('\n');
  }
}
