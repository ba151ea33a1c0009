import type { Command } from 'commander';
import type { CheckOutcomes } from '../../../app/check/run-check.ts';
import { exitCodes } from '../../../app/exit-codes.ts';
import { profileServerUrl } from '../../../app/profile-server.ts';
import { runSchedule, type ScheduleRun } from '../../../app/schedule/run-schedule.ts';
import { findSchedule } from '../../../app/schedule/schedules.ts';
import { toErrorObject } from '../../../errors/error-object.ts';
import { isTradeAgentError, TradeAgentError } from '../../../errors/errors.ts';
import { resolveUserDirs, type UserDirs } from '../../../machine/directories.ts';
import { EXCHANGE_ZONE, type Schedule } from '../../../schedule/schedule.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { ALL_ACCOUNTS } from '../../../trading/account-entry.ts';
import type { Cli, GlobalOptions } from '../../context/cli.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { printError } from '../../context/output.ts';
import { checkResultText, createCheckProgress } from '../check/check-view.ts';
import { runRecordLine } from './schedule-view.ts';
import { formatInBothZones, localTimeZone, zonedTimestamp } from './zoned-time.ts';

/** Maximum number of printed lines. Limited because cron e-mails all of them. */
const MAX_LINES = 200;

/** Creates a buffer for messages, which are printed or dropped at the end, because cron e-mails every printed line. */
export function createLineBuffer() {
  const lines: string[] = [];
  let left = 0;
  return {
    hold(line: string) {
      if (lines.length < MAX_LINES) lines.push(line);
      else left++;
    },
    release(say: (line: string) => void) {
      for (const line of lines.splice(0)) say(line);
      if (left > 0) say(`… and ${left} more lines`);
      left = 0;
    },
  };
}

/** Runs a schedule with its stored profile and time limit. Prints nothing if there is nothing to report. */
export async function runStoredSchedule(command: CliCommand, id: string, now: boolean): Promise<void> {
  const { cli } = command;
  const globals = command.optsWithGlobals<GlobalOptions>();
  const home = resolveUserDirs(cli.env);
  const here = globals.server === undefined ? await findLocalSchedule(home, id) : undefined;
  if (here === undefined || 'error' in here) {
    if (!(await usesServer(home, cli, globals)) && here !== undefined) throw here.error;
    return await command.runInContext((context) => runOnServer(context, id, now));
  }
  const { schedule } = here;
  const root = rootCommand(command);
  if (root.getOptionValueSource('profile') === 'cli' && globals.profile !== schedule.profile) {
    throw new TradeAgentError('usage', `schedule ${id} belongs to profile ${schedule.profile}`, {
      hint: 'Leave out --profile.',
    });
  }
  if (root.getOptionValueSource('account') !== undefined) {
    throw new TradeAgentError('usage', `schedule ${id} is for ${accountText(schedule)}`, {
      hint: 'Leave out --account. Add another schedule for another account.',
    });
  }
  root.setOptionValue('profile', schedule.profile);
  if (schedule.account !== undefined) root.setOptionValue('account', schedule.account);
  if (globals.timeout === undefined) root.setOptionValue('timeout', schedule.timeout);
  const { hold, release } = createLineBuffer();
  const say = (line: string) => cli.io.talk(line);
  let loud = true;
  try {
    await command.runInContext(
      async (context) => {
        const run = await runSchedule(context, schedule, { now, progress: createCheckProgress(context) });
        const printed = await printRun(context, schedule, run, now);
        loud = printed.loud;
        return printed.exitCode;
      },
      cli.io.interactive || globals.verbose === true ? say : hold,
    );
  } catch (error) {
    release(say);
    throw error;
  }
  if (loud) release(say);
}

/**
 * Finds a schedule on this machine. A local schedule takes precedence over a server's schedule, whichever profile is
 * selected, because the crontab line or timer that starts the run does not name a profile.
 */
async function findLocalSchedule(home: UserDirs, id: string) {
  try {
    return { schedule: await findSchedule({ home: async () => home }, id) };
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'not_found') throw error;
    return { error };
  }
}

async function usesServer(home: UserDirs, { env }: Cli, { server, profile }: GlobalOptions): Promise<boolean> {
  if (server !== undefined) return true;
  const { loadConfig } = await import('../../../config/config-file.ts');
  const profileName = profile ?? (env.TRADE_AGENT_PROFILE || undefined);
  return (await profileServerUrl({ config: async () => loadConfig(home), profileName })) !== undefined;
}

async function runOnServer(context: Context, id: string, now: boolean): Promise<number> {
  const { runServerSchedule } = await import('../../../app/schedule/server-schedules.ts');
  const { schedule, run } = await runServerSchedule(context, id, now);
  return (await printRun(context, schedule, run, now)).exitCode;
}

function accountText({ account }: Schedule): string {
  if (account === undefined) return 'the default account';
  return account === ALL_ACCOUNTS ? 'all accounts' : `account ${account}`;
}

function rootCommand(command: Command): Command {
  return command.parent === null ? command : rootCommand(command.parent);
}

/**
 * Prints the result of a run. Returns the exit code and whether the result is worth reading. If not, the text output is
 * empty, because cron would e-mail it.
 * @param asked whether a person started the run
 */
async function printRun(
  context: Context,
  { id, account }: Pick<Schedule, 'id' | 'account'>,
  run: ScheduleRun,
  asked: boolean,
): Promise<{ exitCode: number; loud: boolean }> {
  const { io, output } = context;
  const next = run.status === 'not_due' ? run.next : undefined;
  const record = run.status === 'ran' ? run.record : null;
  const check = run.status === 'ran' ? run.check : undefined;
  const exitCode = record?.exit_code ?? exitCodes.done;
  const unsent = record?.unsent ?? 0;
  const ordered = (record?.approvals.length ?? 0) > 0;
  const loud = exitCode !== exitCodes.done || unsent > 0 || ordered || asked || io.stdoutIsTty;
  const checks = check?.checks ?? [];
  if (check !== undefined) printFailures(context, check);
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
    () => (loud ? runText(run) : ''),
  );
  return { exitCode, loud };
}

function printFailures({ io, tell }: Context, { checks, missing }: CheckOutcomes): void {
  for (const { failure } of checks) if (failure !== undefined) printError(io, toErrorObject(failure), tell);
  for (const { label, message } of missing) tell(safeLine(`${label} could not be checked: ${message}`));
}

async function runText(run: ScheduleRun): Promise<string> {
  if (run.status === 'not_due') {
    return run.next === undefined ? 'Not due.' : `Not due; next ${formatInBothZones(run.next, localTimeZone())}.`;
  }
  const { record, check } = run;
  if (check !== undefined) {
    return (await Promise.all(check.checks.map(({ result }) => checkResultText(result, 'text')))).join('\n\n');
  }
  if (record.status === 'market_closed') return 'The market is closed: skipped.';
  // After a run on a server, there is no check result here, so the findings come from the record.
  const findings = record.findings.map(({ severity, message }) => `  ${severity}: ${safeLine(message)}`);
  return [runRecordLine(record), ...findings].join('\n');
}
