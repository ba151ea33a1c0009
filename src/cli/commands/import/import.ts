import { exits, sessionExits } from '../../../app/exit-codes.ts';
import { importHistory, listImports, undoImport } from '../../../app/imports.ts';
import type { CliCommand } from '../../context/cli-command.ts';

export function addImportCommand(program: CliCommand): void {
  const history = program
    .command('import')
    .summary('take in a history that your broker does not tell')
    .description(
      'Takes activities from a CSV file, for the figures, gains and lots of this account. They stay on this machine, are shown as imported, and count before the first day that the broker itself tells of.',
    )
    .examples(
      ['trade-agent import history.csv --dry-run', 'look first'],
      ['trade-agent import list', 'what was taken in'],
      ['trade-agent import undo im_0123456789ab', 'taken out again'],
    )
    .exits(...sessionExits, exits.found);
  history
    .command('file', { isDefault: true })
    .description(
      'take a CSV file in: date,type,symbol,qty,price,amount (docs/reference/METRICS.md, "An imported history")',
    )
    .argument('<file>', 'a CSV file with a line of names')
    .option('--dry-run', "only show what would be taken and what not; 3 where lines can't be read")
    .option('--skip-bad', "take the other lines where some can't be read")
    .examples(
      ['trade-agent import history.csv --dry-run', 'look first'],
      ['trade-agent import history.csv', 'the same file twice changes nothing'],
    )
    .exits(...sessionExits, exits.found)
    .runs(async (context, file: string, options: { dryRun?: boolean; skipBad?: boolean }) => {
      const report = await importHistory(context, file, options);
      await context.output.result('import', { ...report }, async () =>
        (await import('../../text/import-text.ts')).importText(report),
      );
      return report.bad.length === 0 ? exits.done : exits.found;
    });
  history
    .command('list')
    .description('list what was taken in')
    .examples(['trade-agent import list --output json', 'for scripts'])
    .exits(...sessionExits)
    .runs(async (context) => {
      const imports = (await listImports(context)).map(({ at, ...one }) => ({
        ...one,
        at: new Date(at).toISOString(),
      }));
      await context.output.result('imports', { imports }, async () =>
        (await import('../../text/import-text.ts')).importsText(imports),
      );
    });
  history
    .command('undo')
    .description('take the rows of an import out again')
    .argument('<id>', 'as "import list" shows it')
    .examples(['trade-agent import undo im_0123456789ab', 'all of its rows'])
    .exits(...sessionExits)
    .runs(async (context, id: string) => {
      const undone = await undoImport(context, id);
      await context.output.result(
        'import-undone',
        { ...undone },
        () => `${undone.removed} rows were taken out again.`,
      );
    });
}
