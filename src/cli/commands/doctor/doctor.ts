import type { Command } from 'commander';
import { exits } from '../../../app/exit-codes.ts';
import type { Cli } from '../../context/cli.ts';
import type { Context } from '../../context/context.ts';
import { runCommand } from '../../context/run-command.ts';
import { examples, exitCodes } from '../../options/help.ts';

interface DoctorOptions {
  readonly checkUpdates?: boolean;
}

export function addDoctorCommand(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .summary('check that everything works, and say how to fix what does not')
    .description(
      'Checks Node, the configuration, the credential store, the identity provider and what it supports, the clock, the gateway, the broker and the model. Starts nothing, changes nothing, and prints no secret.',
    )
    .option('--check-updates', 'also ask the npm registry whether there is a newer version')
    .addHelpText(
      'after',
      examples([
        ['trade-agent doctor', 'exit 1 when something is wrong'],
        ['trade-agent doctor --profile work --output json', 'to attach to a bug report'],
      ]) + exitCodes([]),
    )
    .action((options: DoctorOptions, command: Command) =>
      runCommand(cli, command, (context) => printDoctor(context, options)),
    );
}

async function printDoctor(context: Context, options: DoctorOptions): Promise<number> {
  const { doctor } = await import('../../../app/doctor/doctor.ts');
  const { ok, findings } = await doctor(context, { checkUpdates: options.checkUpdates === true });
  const { findingsText } = await import('../../text/findings.ts');
  await context.output.result('doctor', { ok, findings }, () => findingsText(context.io, findings));
  return ok ? exits.done : exits.failed;
}
