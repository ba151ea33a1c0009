import { InvalidArgumentError } from 'commander';
import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { computeRealizedGains } from '../../../app/portfolio/gains.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { addLotOptions, type LotOptions } from '../../options/lot-method.ts';

export function addGainsCommand(program: CliCommand): void {
  addLotOptions(
    program
      .command('gains')
      .description('show realized gains by lot, in the columns of IRS Form 8949 (not tax advice)')
      .option('--year <year>', 'only sales in the given year, New York time (default: all years)', parseYear),
  )
    .examples(
      ['trade-agent gains --year 2026', 'short-term and long-term, first in, first out'],
      ['trade-agent gains --year 2026 --output csv > gains.csv', 'for a spreadsheet'],
      ['trade-agent gains --method specific --lots lots.csv', 'with lots that you choose'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context, { year, method, lots }: LotOptions & { year?: string }) => {
      const found = await computeRealizedGains(context, { year, method, lots });
      await context.output.result('gains', { ...found }, async () => {
        const { gainsText } = await import('../../text/gains-text.ts');
        const { toAudience } = await import('../../text/audience.ts');
        return gainsText(found, toAudience(context.io));
      });
    });
}

function parseYear(text: string): string {
  if (/^(19|20)\d\d$/.test(text)) return text;
  throw new InvalidArgumentError('Use a year such as 2026.');
}
