import { runExitCodes } from '../../../app/exit-codes.ts';
import { type RunSettings, resumeRun } from '../../../app/run.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { approvalOption, baseUrlHelp, cancelOnExitHelp, modelHelp, parseMaxTurns } from '../run/run.ts';

export function addResumeCommand(program: CliCommand): void {
  program
    .command('resume')
    .summary('resume a run that stopped')
    .description(
      'Resume a thread that stopped: wait for its approvals and show the outcome. The gateway executes what you approve even if you do not resume.',
    )
    .argument('<thread>', 'the thread ID that the run printed')
    .addOption(approvalOption())
    .option('--cancel-on-exit', cancelOnExitHelp)
    .option('--max-turns <n>', 'maximum number of model calls (default: 25)', parseMaxTurns)
    .option('--model <name>', modelHelp)
    .option('--base-url <url>', baseUrlHelp)
    .examples(['trade-agent resume THREAD', ''], ['trade-agent resume THREAD --timeout 10m --output json', ''])
    .exits(...runExitCodes)
    .runs(async (context, thread: string, settings: RunSettings) => {
      const events = await resumeRun(context, thread, settings);
      const { showRun } = await import('../../run/drive-run.ts');
      return showRun(context, events);
    });
}
