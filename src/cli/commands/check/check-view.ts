import type { AgentEvent } from '../../../agent/events.ts';
import type { CheckListener, CheckOutcome, CheckOutcomes } from '../../../app/check/run-check.ts';
import { formatResumeCommand } from '../../../app/run.ts';
import type { CheckResult } from '../../../check/result-schema.ts';
import { toErrorObject } from '../../../errors/error-object.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { Context } from '../../context/context.ts';
import { printError } from '../../context/output.ts';
import { RunRenderer } from '../../run/run-renderer.ts';

export type CheckFormat = 'text' | 'markdown';

interface CheckView extends Omit<CheckListener, 'reported'> {
  reported(results: readonly CheckResult[], missing: CheckOutcomes['missing']): Promise<void>;
}

export function createCheckView(context: Context, format: CheckFormat): CheckView {
  const { output, isAllAccounts } = context;
  const print = async (result: CheckResult) => {
    const { schema: _schema, ...data } = result;
    await output.result('check', data, () => checkResultText(result, format));
  };
  // Text output shows findings before the check waits for approvals. Other formats print one object at the end, because
  // it includes the sent notices.
  const early = output.format === 'text';
  return {
    ...createCheckProgress(context),
    found: (result) => (early ? print(result) : undefined),
    async reported(results, missing) {
      if (early) return;
      if (isAllAccounts) return await output.result('checks', { checks: results, missing }, () => '');
      for (const result of results) await print(result);
    },
  };
}

export function createCheckProgress(context: Context): Pick<CheckListener, 'finding' | 'proposing'> {
  const { io, output, clock } = context;
  let renderer: RunRenderer | undefined;
  const show = async (event: AgentEvent) => {
    const { phone } = await context.profile();
    renderer ??= new RunRenderer(io, clock, { format: 'json', phone, tell: context.tell });
    renderer.show(event);
  };
  return {
    finding: (finding) => output.event({ type: 'finding', finding }),
    proposing: (event) => {
      output.event({ ...event });
      // Shows only approvals and notices while waiting, because the planner's answer would repeat the result.
      const shown = event.type === 'approval' || event.type === 'notice';
      return shown && output.format !== 'stream-json' ? show(event) : undefined;
    },
  };
}

export async function checkResultText(result: CheckResult, format: CheckFormat): Promise<string> {
  if (format === 'markdown') return (await import('../../../check/report/markdown.ts')).renderMarkdownReport(result);
  const text = (await import('../../../check/report/text.ts')).renderTextReport(result);
  const { account, label } = result.account;
  return label === undefined ? text : `== ${safeLine(`${account} at ${label}`)}\n${text}`;
}

/** Prints what follows a result: pending approvals, failures, and accounts that could not be checked. */
export function printCheckFollowUps(context: Context, { checks, missing }: CheckOutcomes): void {
  for (const check of checks) printPendingOf(context, check);
  for (const { label, message } of missing) {
    context.io.talk(safeLine(`${label} could not be checked: ${message}`));
  }
}

function printPendingOf({ io, profileOptions }: Context, { runs, failure }: CheckOutcome): void {
  for (const { status, thread } of runs)
    if (status === 'pending') {
      io.talk('approved orders are placed even without this terminal');
      io.talk(`see the outcome with: ${formatResumeCommand(thread, profileOptions)}`);
    }
  if (failure !== undefined) printError(io, toErrorObject(failure));
}
