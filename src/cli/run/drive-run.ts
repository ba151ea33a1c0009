import type { AgentEvent, ApprovalView, CallDraft } from '../../agent/events.ts';
import { exitCodeForRun } from '../../app/exit-codes.ts';
import { containsMessage, followRun, formatResumeCommand, type RunOutput, toRunOutput } from '../../app/run.ts';
import { safeLine } from '../../text/sanitize.ts';
import { environmentName } from '../../trading/environment.ts';
import { chosenByAiWarning } from '../../trading/kinds/chosen-by-ai.ts';
import type { Context } from '../context/context.ts';
import { printError } from '../context/output.ts';
import { labeledLines } from '../text/wrap.ts';
import { createPhoneAlerter } from './phone-alerter.ts';
import { RunRenderer } from './run-renderer.ts';

/** Shows a run's events, then its result. If anything is pending, also shows how to continue. @returns the exit code */
export async function showRun(context: Context, events: AsyncIterable<AgentEvent>): Promise<number> {
  const { io, output, signal } = context;
  const { phone } = await context.profile();
  const renderer = new RunRenderer(io, context.clock, {
    format: output.format,
    phone,
    paint: await context.paint(),
  });
  const attention = await context.attention();
  const call = createPhoneAlerter(attention);
  const waiting = new Map<string, ApprovalView>();
  const result = await followRun(events, signal, (event) => {
    if (event.type === 'approval') {
      waiting.set(event.approval.id, event.approval);
      call([...waiting.values()]);
    }
    output.event({ ...event });
    if (output.format !== 'stream-json') renderer.show(event);
  });
  attention.clear();
  const object = toRunOutput(result, context.profileOptions);
  await output.result('run', { ...object }, () => {
    renderer.finish(object.text);
    return '';
  });
  if (output.format === 'text') {
    for (const line of draftLines(object, io.stdoutIsTty ? io.width() : undefined)) io.print(line);
    const { usage } = object;
    if (usage.input_tokens + usage.output_tokens > 0) {
      io.talk(io.paint('stderr', 'dim', safeLine(usageText(usage))));
    }
    printPending(context, object);
  }
  return exitCodeForRun(object);
}

const approvalTexts = {
  owner: 'would need approval on the phone',
  owner_and_second: 'would need approval on the phone, then by a second person',
  mandate: 'would need a mandate that covers it, or approval on the phone',
  none: 'would need no approval',
} as const satisfies Record<CallDraft['approval'], string>;

/** Formats what a dry run would propose or change. @param columns Infinity if the output is not a terminal */
function draftLines({ drafts, error }: RunOutput, columns = Number.POSITIVE_INFINITY): string[] {
  if (drafts === undefined || (drafts.length === 0 && error !== undefined)) return [];
  if (drafts.length === 0) return ['Dry run: it would propose and change nothing.'];
  return drafts.flatMap((draft) => {
    const { kind, text, account, environment, shows, worst_case, approver, code_entry } = draft;
    const rows: [string, string][] = [
      ...(account === undefined || environment === undefined
        ? []
        : [['account', `${account} ${environmentName(environment)}`] as [string, string]]),
      ...(worst_case === null ? [] : [['at worst', worst_case.text] as [string, string]]),
      ...Object.entries(shows).map(([label, value]): [string, string] => [label.toLowerCase(), value]),
      ...draftWarnings(draft).map((warning): [string, string] => ['warning', warning]),
      ['rules', rulesText(draft)],
      [
        'approval',
        `${approvalTexts[draft.approval]}${approver === undefined ? '' : ` (${approver}’s)`}${code_entry === undefined ? '' : ', with the code typed there'}`,
      ],
    ];
    return [
      `Would ${kind === undefined ? 'do' : 'propose'} (dry run): ${safeLine(text)}`,
      ...rows.flatMap(([label, value]) => labeledLines(`  ${label.padEnd(9)}`, value, columns)),
    ];
  });
}

function draftWarnings({ kind, warnings, chosen_by_ai = [] }: CallDraft): string[] {
  const chosen = kind === undefined ? undefined : chosenByAiWarning(kind, chosen_by_ai);
  return [...(chosen === undefined ? [] : [chosen]), ...warnings];
}

function rulesText({ kind, refused, checked }: CallDraft): string {
  if (refused !== undefined) return `would be refused: ${refused.message}`;
  if (!checked) return 'checked only when it is proposed';
  return kind === 'batch' ? 'each order would pass by itself' : 'would pass';
}

/** Formats the usage: `gpt-5-mini: 1,234 tokens in, 56 out, $0.0012`. */
export function usageText({ model, input_tokens, output_tokens, cost_usd }: RunOutput['usage']): string {
  const count = (tokens: number) => tokens.toLocaleString('en-US');
  const cost = cost_usd === undefined ? '' : `, $${cost_usd}`;
  return `${model}: ${count(input_tokens)} tokens in, ${count(output_tokens)} out${cost}`;
}

function printPending(context: Context, object: RunOutput): void {
  const { io } = context;
  // On a terminal, the answer printed above may already contain the error's message.
  const said = io.stdoutIsTty && object.error !== undefined && containsMessage(object.text, object.error.message);
  if (object.error !== undefined && !said) printError(io, object.error);
  const pending = object.approvals.filter(({ status }) => status === 'requested' || status === 'drafted');
  if (pending.length > 0) {
    const what = pending.length === 1 ? 'an approval is' : `${pending.length} approvals are`;
    io.talk(`${what} still pending; resume with: ${formatResumeCommand(object.thread, context.profileOptions)}`);
    io.talk('approving it still places the order, even without this terminal; to withdraw it:');
    for (const { id } of pending) io.talk(`  trade-agent approvals cancel ${id}`);
  } else if (object.connections.length > 0) {
    for (const { name, command } of object.connections) io.talk(`the account "${name}" is not connected: ${command}`);
    io.talk(`then resume with: ${formatResumeCommand(object.thread, context.profileOptions)}`);
  } else if (object.status === 'unknown' || object.status === 'pending') {
    io.talk(`resume with: ${formatResumeCommand(object.thread, context.profileOptions)}`);
  }
}
