import { exitCodes } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addDoctorCommand(program: CliCommand): void {
  program
    .command('doctor')
    .summary('check that everything works, and show how to fix problems')
    .description(
      'Check Node, the configuration, the credential store, the identity provider and its features, the clock, the gateway, the broker and the model. Starts nothing, changes nothing, and prints no secrets.',
    )
    .option('--check-updates', 'also check the npm registry for a newer version')
    .examples(
      ['trade-agent doctor', 'exits with 1 if there is a problem'],
      ['trade-agent doctor --profile work --output json', 'to attach to a bug report'],
    )
    .runs(printDoctor);
}

async function printDoctor(context: Context, options: { checkUpdates?: boolean }): Promise<number> {
  const { runDoctor } = await import('../../../app/doctor/doctor.ts');
  const { ok, findings } = await runDoctor(context, { checkUpdates: options.checkUpdates === true });
  const { doctorFindingsText } = await import('../../text/findings.ts');
  await context.output.result('doctor', { ok, findings }, () => doctorFindingsText(context.io, findings));
  return ok ? exitCodes.done : exitCodes.failed;
}
