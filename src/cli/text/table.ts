import stringWidth from 'string-width';

export interface Column<Row> {
  /**
   * Rank for saving space. Columns with the highest rank are dropped first. A column without a rank is never dropped.
   */
  readonly rank?: number;
  readonly head: string;
  readonly align?: 'left' | 'right';
  readonly cell: (row: Row) => string;
  /** Whether the text may be truncated after all ranked columns are dropped. Such text must not contain colors. */
  readonly shortens?: boolean;
}

const MIN_COLUMN_WIDTH = 12;
const ELLIPSIS = '...';

const borderNames =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid';
const noBorders = { ...Object.fromEntries(borderNames.split(' ').map((line) => [line, ''])), middle: '  ' };

export function numberColumn<Row>(head: string, cell: (row: Row) => string, rank = 0): Column<Row> {
  return { head, cell, rank, align: 'right' };
}

/** Like {@link formatTable}, but only with as many columns as fit into `width`. */
export async function fitTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): Promise<string> {
  const text = await formatTable(columns, rows);
  const over = Math.max(...text.split('\n').map((line) => stringWidth(line))) - width;
  if (over <= 0) return text;
  const most = Math.max(...columns.map(({ rank = 0 }) => rank));
  if (most === 0) return formatTable(shortenColumns(columns, rows, over), rows);
  return fitTable(
    columns.filter(({ rank = 0 }) => rank < most),
    rows,
    width,
  );
}

/** Shortens columns by a total of `by` characters, starting with the last column. */
function shortenColumns<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  by: number,
): readonly Column<Row>[] {
  let left = by;
  return columns
    .toReversed()
    .map((column) => {
      if (column.shortens !== true || left <= 0) return column;
      const widest = Math.max(column.head.length, ...rows.map((row) => stringWidth(column.cell(row))));
      const room = Math.max(column.head.length, Math.min(widest, Math.max(MIN_COLUMN_WIDTH, widest - left)));
      left -= widest - room;
      return { ...column, cell: (row: Row) => truncateWords(column.cell(row), room) };
    })
    .toReversed();
}

export function truncateWords(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const words = text.split(' ');
  while (words.length > 1 && stringWidth(words.join(' ')) > width - ELLIPSIS.length) words.pop();
  return `${words.join(' ').replace(/[,;:·]?$/, '')}${ELLIPSIS}`;
}

/** Formats aligned columns without borders, so that they are easy to read, copy and grep. */
export async function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const built = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: noBorders,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  for (const row of rows) built.push(columns.map(({ cell }) => cell(row)));
  return built
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
