import { exits } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addDoctorCommand(program: CliCommand): void {
  program
    .command('doctor')
    .summary('check that everything works, and say how to fix what does not')
    .description(
      'Checks Node, the configuration, the credential store, the identity provider and what it supports, the clock, the gateway, the broker and the model. Starts nothing, changes nothing, and prints no secret.',
    )
    .option('--check-updates', 'also ask the npm registry whether there is a newer version')
    .examples(
      ['trade-agent doctor', 'exit 1 when something is wrong'],
      ['trade-agent doctor --profile work --output json', 'to attach to a bug report'],
    )
    .runs(printDoctor);
}

async function printDoctor(context: Context, options: { checkUpdates?: boolean }): Promise<number> {
  const { doctor } = await import('../../../app/doctor/doctor.ts');
  const { ok, findings } = await doctor(context, { checkUpdates: options.checkUpdates === true });
  const { findingsText } = await import('../../text/findings.ts');
  await context.output.result('doctor', { ok, findings }, () => findingsText(context.io, findings));
  return ok ? exits.done : exits.failed;
}
