import type { Command } from 'commander';
import type { ApprovalMode } from '../../../agent/agent.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import {
  approvalOption,
  baseUrlHelp,
  cancelOnExitHelp,
  modelHelp,
  parseTurns,
  runOptions,
} from '../run/run.ts';

interface ResumeOptions {
  readonly approval: ApprovalMode;
  readonly maxTurns?: number;
  readonly cancelOnExit?: boolean;
  readonly model?: string;
  readonly baseUrl?: string;
}

export function addResumeCommand(program: Command, cli: Cli): void {
  program
    .command('resume')
    .summary('go on with a run that stopped')
    .description(
      'Goes on with a thread that stopped: waits for what it asked of your phone, and tells what became of it. The gateway carries out what you approve, with or without this.',
    )
    .argument('<thread>', 'the thread, as the run printed it')
    .addOption(approvalOption())
    .option('--cancel-on-exit', cancelOnExitHelp)
    .option('--max-turns <n>', 'model calls at most (default: 25)', parseTurns)
    .option('--model <name>', modelHelp)
    .option('--base-url <url>', baseUrlHelp)
    .addHelpText(
      'after',
      examples([
        ['trade-agent resume THREAD', ''],
        ['trade-agent resume THREAD --timeout 10m --output json', ''],
      ]) + exitCodes([4, 5, 6, 7, 8, 9, 10, 11, 12, 124]),
    )
    .action((thread: string, options: ResumeOptions, command: Command) =>
      runCommand(cli, command, (context) => resume(context, thread, options)),
    );
}

export async function resume(context: Context, thread: string, options: ResumeOptions): Promise<number> {
  const agent = await context.agent(options);
  const { driveRun } = await import('../../run/drive-run.ts');
  return driveRun(context, agent.resume(thread, runOptions(context, options)));
}
