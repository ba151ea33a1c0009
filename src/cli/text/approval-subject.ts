import type { ApprovalView } from '../../agent/events.ts';
import { environmentName } from '../../trading/environment.ts';
import { chosenByAiWarning } from '../../trading/kinds/chosen-by-ai.ts';
import { getKindDefinition, kindPayload } from '../../trading/kinds/kinds.ts';

/** Returns a headline such as `BUY 5 AAPL, limit $180.00` or `message to #trading on Slack`. */
export function subjectHeadline(approval: ApprovalView): string {
  return getKindDefinition(approval.kind).terminal.headline(kindPayload(approval));
}

export function subjectFields(approval: ApprovalView): [label: string, value: string][] {
  const fields = getKindDefinition(approval.kind).terminal.fields(kindPayload(approval));
  return [
    ...fields.map(([label, value]): [string, string] => [label, withBroker(value, approval)]),
    ...assessment(approval),
  ];
}

/** Adds the broker's name after the account number, if the gateway reports it: `PA3ALICE01 at Alpaca PAPER`. */
function withBroker(text: string, { account_at: at }: ApprovalView): string {
  const number = at?.split(' at ', 1)[0];
  if (at === undefined || number === undefined || (text !== number && !text.startsWith(`${number} `))) return text;
  return `${at}${text.slice(number.length)}`;
}

function assessment(approval: ApprovalView): [label: string, value: string][] {
  const { worst_case } = approval;
  return [
    ...(worst_case === null ? [] : [['at worst', worst_case.text] as [string, string]]),
    ...approvalWarnings(approval).map((warning): [string, string] => ['warning', warning]),
  ];
}

/** Returns the warnings, starting with a warning about fields that the AI chose. */
export function approvalWarnings({ kind, warnings, chosen_by_ai = [] }: ApprovalView): string[] {
  const chosen = chosenByAiWarning(kind, chosen_by_ai);
  return [...(chosen === undefined ? [] : [chosen]), ...warnings];
}

export function subjectKindText({ kind, environment }: ApprovalView): string {
  const { called } = getKindDefinition(kind).terminal;
  return environment === undefined ? called : `${environmentName(environment)} ${called}`;
}

export function shortSubjectDetails(approval: ApprovalView): string[] {
  return getKindDefinition(approval.kind)
    .terminal.brief(kindPayload(approval))
    .map((text) => withBroker(text, approval));
}
