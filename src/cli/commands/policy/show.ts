import { toApprovalView } from '../../../agent/graph/proposal-view.ts';
import { proposeAndWait, proposeWithoutWaiting } from '../../../app/approvals/propose-and-wait.ts';
import { type ExitCode, exitCodes } from '../../../app/exit-codes.ts';
import { diffPolicy, type PolicyDiff } from '../../../app/policy/diff-policy.ts';
import { checkPolicy, runPolicyCases, type TestedPolicyCase } from '../../../app/policy/policy-cases.ts';
import { readRuleTexts, type SetPolicyResult, setPolicy } from '../../../app/policy/set-policy.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { formatDollarAmount } from '../../../trading/amounts.ts';
import { decimalString } from '../../../trading/decimal.ts';
import { environmentName } from '../../../trading/environment.ts';
import { flattenLimits, formatLimit, limitLabel } from '../../../trading/limit-words.ts';
import { describeOrder } from '../../../trading/order.ts';
import type { DecisionView, PolicyView, RecordedDecision } from '../../../trading/policy-views.ts';
import type { Proposal, ProposalRequestInput } from '../../../trading/proposal.ts';
import type { Context } from '../../context/context.ts';

export async function printPolicy(context: Context): Promise<void> {
  const policy = await (await context.gateway()).policy();
  await context.output.result('policy', { ...policy }, () => policyText(policy));
}

/** Maps each limit to the fact that says how much of the limit is used. */
const limitFacts: Readonly<Record<string, { readonly fact: string; readonly money?: true }>> = {
  max_day_notional: { fact: 'day_notional', money: true },
  max_day_orders: { fact: 'day_orders' },
  max_orders_per_minute: { fact: 'last_minute' },
  max_open_orders: { fact: 'open_orders' },
  max_day_messages: { fact: 'day_messages' },
};

const stateWords = {
  active: 'active',
  reducing: 'REDUCING: you can only sell what you hold',
  halted: 'HALTED: no trading',
} as const;

const clockBehindText = 'more than a day behind the newest order: no trading. See docs/guide/POLICY.md';

async function policyText(policy: PolicyView): Promise<string> {
  const { account, environment, trading, digest, limits, problem } = policy;
  const head = [
    ['account', `${safeLine(account)} ${environmentName(environment)}`],
    ['trading', tradingText(trading)],
    ...(policy.today.clock_behind === undefined ? [] : [['CLOCK', clockBehindText]]),
    ['rules', digest],
    ...rulesLine('own', policy.policies),
    ...rulesLine('the firm’s', policy.firm),
    ...(problem === undefined ? [] : [['WRONG', `${safeLine(problem)} Trading is blocked until this is fixed.`]]),
  ].map(([label = '', value = '']) => `${label.padEnd(10)} ${value}`);
  const rows = flattenLimits(limits);
  if (rows.length === 0) return [...head, '', 'No limits, but messages can’t be sent to anyone.'].join('\n');
  const { formatTable } = await import('../../text/table.ts');
  const limitTable = await formatTable<[string, string]>(
    [
      { head: 'LIMIT', cell: ([key]) => safeLine(key) },
      { head: 'VALUE', cell: ([key, value]) => safeLine(formatLimit(key, value)) },
      { head: 'USED', cell: ([key]) => formatUsed(policy, key) },
      { head: '', cell: ([key]) => safeLine(limitLabel(key)) },
    ],
    rows,
  );
  return [...head, '', limitTable].join('\n');
}

function tradingText({ state, until }: PolicyView['trading']): string {
  return until === undefined ? stateWords[state] : `${stateWords[state]}, until ${safeLine(until)}`;
}

function rulesLine(whose: string, files: PolicyView['policies']): string[][] {
  const names = Object.keys(files);
  return names.length === 0 ? [] : [[whose, safeLine(names.join(', '))]];
}

function formatUsed({ today }: PolicyView, key: string): string {
  const words = Object.hasOwn(limitFacts, key) ? limitFacts[key] : undefined;
  const value = words === undefined ? undefined : today[words.fact];
  if (value === undefined || value === null) return '';
  const text = String(value);
  return words?.money === true && decimalString.safeParse(text).success ? formatDollarAmount(text) : safeLine(text);
}

export async function printPolicyCheck(context: Context, sentence: string): Promise<ExitCode> {
  const { order, decision } = await checkPolicy(context, sentence);
  await context.output.result('policy-check', { order, ...decision }, () =>
    [`${describeOrder(order)}: ${effectWords[decision.effect]}`, ...reasonLines(decision)].join('\n'),
  );
  return decision.effect === 'deny' ? exitCodes.blocked : exitCodes.done;
}

const effectWords = {
  allow: 'allowed without approval',
  ask: 'allowed with your approval',
  deny: 'REFUSED',
} as const;

function reasonLines({ effect, reasons, texts, hint }: DecisionView): string[] {
  if (effect !== 'deny') return [];
  const lines = reasons.map((reason, index) => `  ${safeLine(reason)}: ${safeLine(texts[index] ?? '')}`);
  return hint === undefined ? lines : [...lines, `  ${safeLine(hint)}`];
}

export async function printPolicyDiff(context: Context, file: string, replay: boolean): Promise<ExitCode> {
  const diff = await diffPolicy(context, file, { replay });
  await context.output.result('policy-diff', { ...diff }, () => diffText(diff));
  return diff.flips.length > 0 ? exitCodes.found : exitCodes.done;
}

function diffText({ changes, tighter, replayed, flips }: PolicyDiff): string {
  const head =
    changes.length === 0
      ? ['The rules are the same.']
      : [
          `These rules are ${tighter ? 'tighter and need no approval' : 'looser and need your approval'}.`,
          ...changes.map(indent),
        ];
  if (replayed === null) return head.join('\n');
  const tail =
    flips.length === 0
      ? [`None of ${replayed} past orders would have a different decision.`]
      : [
          `${flips.length} of ${replayed} past orders would have a different decision:`,
          ...flips.map(({ at, order, before, after, reasons }) =>
            indent(`${at}  ${order}: ${before} → ${after} (${reasons.join(', ')})`),
          ),
        ];
  return [...head, ...tail].join('\n');
}

function indent(line: string): string {
  return `  ${safeLine(line)}`;
}

export interface PolicyLogOptions {
  readonly denied?: boolean;
  readonly limit: number;
}

export async function printPolicyLog(context: Context, { denied = false, limit }: PolicyLogOptions): Promise<void> {
  const gateway = await context.gateway();
  const decisions = await gateway.decisions({ limit, ...(denied ? { effect: 'deny' } : {}) });
  await context.output.result('policy-log', { decisions }, async () => {
    if (decisions.length === 0) return 'No decisions yet.';
    const { formatTable } = await import('../../text/table.ts');
    return formatTable<RecordedDecision>(
      [
        { head: 'WHEN', cell: ({ at }) => safeLine(at) },
        { head: 'DECISION', cell: ({ effect, stage }) => `${effect} (${stage})` },
        { head: 'ORDER', cell: ({ facts }) => orderText(facts) },
        { head: 'RULES', cell: ({ policy }) => safeLine(policy).slice(0, 8) },
        { head: 'WHY', cell: ({ reasons, texts }) => safeLine(texts[0] ?? reasons[0] ?? '') },
      ],
      decisions,
    );
  });
}

function orderText({ order }: RecordedDecision['facts']): string {
  const { side, qty, notional, symbol, type } = (order ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof side !== 'string') return '';
  const amount = qty ?? (notional === undefined ? '' : `$${String(notional)} of`);
  return safeLine([side.toUpperCase(), amount, symbol, type].map((word) => String(word ?? '')).join(' '));
}

export interface PolicySetOptions {
  readonly approval: 'wait' | 'detach' | 'deny';
  readonly rules: readonly string[];
  readonly remove: readonly string[];
}

export async function proposePolicyChange(
  context: Context,
  limits: readonly string[],
  { approval, rules, remove }: PolicySetOptions,
): Promise<ExitCode> {
  const policies = { ...readRuleTexts(rules), ...Object.fromEntries(remove.map((name) => [name, null])) };
  if (limits.length + Object.keys(policies).length === 0) {
    throw new TradeAgentError('usage', 'there is nothing to set', {
      hint: 'For example: trade-agent policy set max_order_notional=500.',
    });
  }
  const set = await setPolicy(context, { limits, policies }, (request) => requestApproval(context, request, approval));
  const { proposal, ...result } = set;
  await context.output.result(
    'policy-set',
    { ...result, ...(proposal === undefined ? {} : { approval: toApprovalView(proposal, '') }) },
    () => setText(set),
  );
  return set.outcome === 'pending' ? exitCodes.pending : exitCodes.done;
}

async function requestApproval(
  context: Context,
  request: ProposalRequestInput,
  approval: PolicySetOptions['approval'],
): Promise<Proposal> {
  if (approval === 'deny') {
    const why = 'these rules are looser and need your approval, but --approval deny requests none';
    throw new TradeAgentError('approval_denied', why, { hint: 'The rules were not changed.' });
  }
  const { createApprovalListener } = await import('../../run/approval-progress.ts');
  const asking = await createApprovalListener(context);
  return approval === 'wait'
    ? proposeAndWait(context, request, asking)
    : proposeWithoutWaiting(context, request, asking);
}

function setText({ outcome, changes, proposal }: SetPolicyResult): string {
  if (outcome === 'unchanged') return 'The rules are already set like this.';
  const head =
    outcome === 'applied'
      ? 'The rules were changed:'
      : `Waiting for your approval (${proposal?.code ?? ''}). Until then, the rules do not change:`;
  return [head, ...changes.map(indent)].join('\n');
}

export async function printPolicyTests(context: Context, file: string): Promise<ExitCode> {
  const { policy, cases } = await runPolicyCases(context, file);
  const failed = cases.filter(({ ok }) => !ok);
  await context.output.result('policy-test', { ok: failed.length === 0, policy, cases }, () =>
    [...failed.map(caseText), `${cases.length - failed.length} of ${cases.length} cases passed.`].join('\n'),
  );
  return failed.length === 0 ? exitCodes.done : exitCodes.failed;
}

function caseText({ name, effect, reasons, expected }: TestedPolicyCase): string {
  const words = (what: { effect: string; reasons?: readonly string[] }) =>
    [what.effect, ...(what.reasons ?? [])].join(' ');
  return safeLine(`FAILED ${name}: expected ${words(expected)}, got ${words({ effect, reasons })}`);
}
