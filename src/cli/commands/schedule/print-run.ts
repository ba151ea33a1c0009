import { errorObject } from '../../../app/error-object.ts';
import { exits } from '../../../app/exit-codes.ts';
import type { ScheduleRun } from '../../../app/schedule/run-schedule.ts';
import { EXCHANGE_ZONE, type Schedule } from '../../../schedule/schedule.ts';
import type { Context } from '../../context.ts';
import { talkError } from '../../output.ts';
import { checkText } from '../check/check-view.ts';
import { bothTimes, localZone, zonedTimestamp } from './zoned-time.ts';

/**
 * Prints what a run came to, and gives the exit code and whether there is something that somebody should read: as text
 * only that is said, since cron mails it.
 * @param asked a person said to run it
 */
export async function printRun(
  { io, output, tell }: Context,
  { id }: Schedule,
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
  if (check?.failure !== undefined) talkError(io, errorObject(check.failure), tell);
  await output.result(
    'schedule-run',
    {
      id,
      status: run.status,
      next: next === undefined ? null : zonedTimestamp(next, EXCHANGE_ZONE),
      run: record,
      check: check?.result ?? null,
    },
    () => {
      if (!loud) return '';
      if (check !== undefined) return checkText(check.result, 'text');
      if (record !== null) return 'The market is closed: skipped.';
      return next === undefined ? 'Not due.' : `Not due; next ${bothTimes(next, localZone())}.`;
    },
  );
  return { exitCode, loud };
}
