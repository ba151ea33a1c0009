import { sessionExitCodes } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';

export function addClockCommand(program: CliCommand): void {
  program
    .command('clock')
    .description('show whether the market is open')
    .examples(
      ['trade-agent clock', 'open or closed, and until when'],
      ['trade-agent clock --output json | jq .is_open', 'for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context) => {
      const clock = await (await context.gateway()).clock();
      await context.output.result('clock', { ...clock }, async () =>
        (await import('../../text/data-lists.ts')).clockText(clock),
      );
    });
}
