import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { computeHeldLots } from '../../../app/portfolio/gains.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { addLotOptions, type LotOptions } from '../../options/lot-method.ts';

export function addLotsCommand(program: CliCommand): void {
  addLotOptions(
    program.command('lots').description('show the lots you hold: purchase date, cost, and when they become long-term'),
  )
    .examples(
      ['trade-agent lots', 'remaining lots, first in, first out'],
      ['trade-agent lots --method highest --output csv', 'for a spreadsheet'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context, { method, lots }: LotOptions) => {
      const found = await computeHeldLots(context, { method, lots });
      await context.output.result('lots', { ...found }, async () => {
        const { lotsText } = await import('../../text/gains-text.ts');
        const { toAudience } = await import('../../text/audience.ts');
        return lotsText(found, toAudience(context.io));
      });
    });
}
