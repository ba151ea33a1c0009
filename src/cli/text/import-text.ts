import type { ImportReport } from '../../app/imports.ts';
import { safeLine } from '../../text/sanitize.ts';
import { formatSharePrice, formatShares, formatSignedDollars } from '../../trading/amounts.ts';
import { formatTable, numberColumn } from './table.ts';

/** Maximum number of printed rows. `--output json` prints all rows. */
const MAX_ROWS_SHOWN = 20;

export async function importText(report: ImportReport): Promise<string> {
  const { taken, known, told_by_broker, bad, dry_run, ignored_columns } = report;
  const shown = taken.slice(0, MAX_ROWS_SHOWN);
  const rows =
    shown.length === 0
      ? []
      : [
          await formatTable<(typeof shown)[number]>(
            [
              numberColumn('LINE', ({ line }) => String(line)),
              { head: 'DATE', cell: ({ at }) => at.slice(0, 10) },
              { head: 'WHAT', cell: ({ kind, side }) => side ?? kind },
              { head: 'SYMBOL', cell: ({ symbol }) => symbol ?? '' },
              numberColumn('QTY', ({ qty }) => (qty === null ? '' : formatShares(qty))),
              numberColumn('PRICE', ({ price }) => (price === null ? '' : formatSharePrice(price))),
              numberColumn('AMOUNT', ({ amount }) => (amount === null ? '' : formatSignedDollars(amount))),
            ],
            shown,
          ),
          ...(taken.length > MAX_ROWS_SHOWN ? [`and ${taken.length - MAX_ROWS_SHOWN} more (--output json)`] : []),
        ];
  return [
    ...rows,
    `${rowCount(taken.length)} ${dry_run ? 'would be imported' : 'imported'}${dry_run || taken.length === 0 ? '' : ` as ${report.id}; undo: trade-agent import undo ${report.id}`}.`,
    ...(known.length === 0 ? [] : [`${rowCount(known.length)} already imported: ${lineList(known)}.`]),
    ...(told_by_broker.length === 0
      ? []
      : [
          `${rowCount(told_by_broker.length)} not counted, because the broker reports activities since ${report.broker_since}: ${lineList(told_by_broker)}.`,
        ]),
    ...bad.slice(0, MAX_ROWS_SHOWN).map(({ line, reason }) => `Line ${line} can't be read: ${reason}`),
    ...(bad.length > MAX_ROWS_SHOWN ? [`and ${bad.length - MAX_ROWS_SHOWN} more lines that can't be read`] : []),
    ...(ignored_columns.length === 0 ? [] : [`Ignored columns: ${ignored_columns.join(', ')}.`]),
    ...(report.simulated ? ['The account is simulated.'] : []),
  ].join('\n');
}

const rowCount = (rows: number) => (rows === 1 ? '1 row' : `${rows} rows`);

function lineList(numbers: readonly number[]): string {
  const some = numbers.slice(0, MAX_ROWS_SHOWN).join(', ');
  const more = numbers.length > MAX_ROWS_SHOWN ? ` and ${numbers.length - MAX_ROWS_SHOWN} more` : '';
  return `${numbers.length === 1 ? 'line' : 'lines'} ${some}${more}`;
}

export async function importsText(
  imports: readonly {
    readonly id: string;
    readonly file: string;
    readonly at: string;
    readonly rows: number;
  }[],
): Promise<string> {
  if (imports.length === 0) return 'Nothing was imported.';
  return formatTable<(typeof imports)[number]>(
    [
      { head: 'ID', cell: ({ id }) => id },
      { head: 'FILE', cell: ({ file }) => safeLine(file, 60) },
      { head: 'AT', cell: ({ at }) => at.slice(0, 16).replace('T', ' ') },
      numberColumn('ROWS', ({ rows }) => String(rows)),
    ],
    imports,
  );
}
