import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import { importActivities, listImports, undoImport } from '../../../app/imports.ts';
import type { CliCommand } from '../../context/cli-command.ts';

export function addImportCommand(program: CliCommand): void {
  const history = program
    .command('import')
    .summary('import account history that your broker does not report')
    .description(
      'Import activities from a CSV file for the performance, gains and lots of this account. Imported activities stay on this machine, are shown as imported, and count only for the days before the first day that the broker reports.',
    )
    .examples(
      ['trade-agent import history.csv --dry-run', 'preview it'],
      ['trade-agent import list', 'what was imported'],
      ['trade-agent import undo im_0123456789ab', 'remove an import'],
    )
    .exits(...sessionExitCodes, exitCodes.found);
  history
    .command('file', { isDefault: true })
    .description(
      'import a CSV file: date,type,symbol,qty,price,amount (docs/reference/METRICS.md, "An imported history")',
    )
    .argument('<file>', 'a CSV file with a header line')
    .option('--dry-run', "only show what would be imported; exits with 3 if lines can't be read")
    .option('--skip-bad', "skip lines that can't be read")
    .examples(
      ['trade-agent import history.csv --dry-run', 'preview it'],
      ['trade-agent import history.csv', 'importing the same file twice changes nothing'],
    )
    .exits(...sessionExitCodes, exitCodes.found)
    .runs(async (context, file: string, options: { dryRun?: boolean; skipBad?: boolean }) => {
      const report = await importActivities(context, file, options);
      await context.output.result('import', { ...report }, async () =>
        (await import('../../text/import-text.ts')).importText(report),
      );
      return report.bad.length === 0 ? exitCodes.done : exitCodes.found;
    });
  history
    .command('list')
    .description('list imports')
    .examples(['trade-agent import list --output json', 'for scripts'])
    .exits(...sessionExitCodes)
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
    .description('remove the rows of an import')
    .argument('<id>', 'the ID from "import list"')
    .examples(['trade-agent import undo im_0123456789ab', 'all of its rows'])
    .exits(...sessionExitCodes)
    .runs(async (context, id: string) => {
      const undone = await undoImport(context, id);
      await context.output.result('import-undone', { ...undone }, () => `Removed ${undone.removed} rows.`);
    });
}
