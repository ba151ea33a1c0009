import { runExits } from '../../../app/exit-codes.ts';
import { type RunSettings, resume } from '../../../app/run.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { approvalOption, baseUrlHelp, cancelOnExitHelp, modelHelp, parseTurns } from '../run/run.ts';

export function addResumeCommand(program: CliCommand): void {
  program
    .command('resume')
    .summary('go on with a run that stopped')
    .description(
      'Resumes a stopped thread: waits for what it asked of your phone, and tells what became of it. The gateway carries out what you approve, with or without this.',
    )
    .argument('<thread>', 'the thread, as the run printed it')
    .addOption(approvalOption())
    .option('--cancel-on-exit', cancelOnExitHelp)
    .option('--max-turns <n>', 'model calls at most (default: 25)', parseTurns)
    .option('--model <name>', modelHelp)
    .option('--base-url <url>', baseUrlHelp)
    .examples(
      ['trade-agent resume THREAD', ''],
      ['trade-agent resume THREAD --timeout 10m --output json', ''],
    )
    .exits(...runExits)
    .runs(async (context, thread: string, settings: RunSettings) => {
      const events = await resume(context, thread, settings);
      const { driveRun } = await import('../../run/drive-run.ts');
      return driveRun(context, events);
    });
}
