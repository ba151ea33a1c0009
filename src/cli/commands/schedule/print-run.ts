import { exits } from '../../../app/exit-codes.ts';
import type { ScheduleRun } from '../../../app/schedule/run-schedule.ts';
import { errorObject } from '../../../errors/error-object.ts';
import { EXCHANGE_ZONE, type Schedule } from '../../../schedule/schedule.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { ALL_ACCOUNTS } from '../../../trading/account-entry.ts';
import type { Context } from '../../context.ts';
import { talkError } from '../../output.ts';
import { checkText } from '../check/check-view.ts';
import { recordLine } from './schedule-view.ts';
import { bothTimes, localZone, zonedTimestamp } from './zoned-time.ts';

/**
 * Prints what a run came to, and gives the exit code and whether there is something that somebody should read: as text
 * only that is said, since cron mails it.
 * @param asked a person said to run it
 */
export async function printRun(
  { io, output, tell }: Context,
  { id, account }: Pick<Schedule, 'id' | 'account'>,
  run: ScheduleRun,
  asked: boolean,
): Promise<{ exitCode: number; loud: boolean }> {
  const next = run.status === 'not_due' ? run.next : undefined;
  const record = run.status === 'ran' ? run.record : null;
  const check = run.status === 'ran' ? run.check : undefined;
  const exitCode = record?.exit_code ?? exits.done;
  const unsent = record?.unsent ?? 0;
  const ordered = (record?.approvals.length ?? 0) > 0;
  const loud = exitCode !== exits.done || unsent > 0 || ordered || asked || io.stdoutIsTty;
  const checks = check?.checks ?? [];
  for (const { failure } of checks) if (failure !== undefined) talkError(io, errorObject(failure), tell);
  for (const { label, message } of check?.missing ?? [])
    tell(safeLine(`${label} could not be looked at: ${message}`));
  await output.result(
    'schedule-run',
    {
      id,
      status: run.status,
      next: next === undefined ? null : zonedTimestamp(next, EXCHANGE_ZONE),
      run: record,
      check: account === ALL_ACCOUNTS ? null : (checks[0]?.result ?? null),
      ...(account === ALL_ACCOUNTS ? { checks: checks.map(({ result }) => result) } : {}),
    },
    async () => {
      if (!loud) return '';
      if (check !== undefined)
        return (await Promise.all(checks.map(({ result }) => checkText(result, 'text')))).join('\n\n');
      if (record?.status === 'market_closed') return 'The market is closed: skipped.';
      // What it found is known by its record alone where it ran elsewhere.
      if (record !== null)
        return [
          recordLine(record),
          ...record.findings.map(({ severity, message }) => `  ${severity}: ${safeLine(message)}`),
        ].join('\n');
      return next === undefined ? 'Not due.' : `Not due; next ${bothTimes(next, localZone())}.`;
    },
  );
  return { exitCode, loud };
}
