import type { Command } from 'commander';
import { runSchedule } from '../../../app/schedule/run-schedule.ts';
import { findSchedule } from '../../../app/schedule/schedules.ts';
import { resolveHome } from '../../../machine/home.ts';
import type { Schedule } from '../../../schedule/schedule.ts';
import { ALL_ACCOUNTS } from '../../../trading/account-entry.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import { runCommand } from '../../cli.ts';
import type { Cli, GlobalOptions } from '../../surroundings.ts';
import { checkProgress } from '../check/check-view.ts';
import { heldLines } from './held-lines.ts';
import { printRun } from './print-run.ts';

/** With the profile and the time limit the schedule was made with, and silent unless there is something to tell. */
export async function runStored(cli: Cli, command: Command, id: string, now: boolean): Promise<void> {
  const schedule = await findSchedule({ home: async () => resolveHome(cli.env) }, id);
  const globals = command.optsWithGlobals<GlobalOptions>();
  const root = rootOf(command);
  if (root.getOptionValueSource('profile') === 'cli' && globals.profile !== schedule.profile) {
    throw new TradeAgentError('usage', `schedule ${id} is of profile ${schedule.profile}`, {
      hint: 'Leave out --profile.',
    });
  }
  if (root.getOptionValueSource('account') !== undefined) {
    throw new TradeAgentError('usage', `schedule ${id} is of ${accountOf(schedule)}`, {
      hint: 'Leave out --account; add another schedule for another account.',
    });
  }
  root.setOptionValue('profile', schedule.profile);
  if (schedule.account !== undefined) root.setOptionValue('account', schedule.account);
  if (globals.timeout === undefined) root.setOptionValue('timeout', schedule.timeout);
  const { hold, release } = heldLines();
  const say = (line: string) => cli.io.talk(line);
  let loud = true;
  try {
    await runCommand(
      cli,
      command,
      async (context) => {
        const run = await runSchedule(context, schedule, { now, progress: checkProgress(context) });
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

function accountOf({ account }: Schedule): string {
  if (account === undefined) return 'the default account';
  return account === ALL_ACCOUNTS ? 'all accounts' : `account ${account}`;
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}
