import stringWidth from 'string-width';

/** One column of a table. */
export interface Column<Row> {
  /** The highest go first where there is no room; without one it always stays. */
  readonly rank?: number;
  readonly head: string;
  readonly align?: 'left' | 'right';
  readonly cell: (row: Row) => string;
}

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** As {@link table}, with as many columns as fit into `width`. */
export async function fittingTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): Promise<string> {
  const text = await table(columns, rows);
  const most = Math.max(...columns.map(({ rank = 0 }) => rank));
  if (most === 0 || text.split('\n').every((line) => stringWidth(line) <= width)) return text;
  return fittingTable(
    columns.filter(({ rank = 0 }) => rank < most),
    rows,
    width,
  );
}

/** Rows in aligned columns without lines around them, so that they are easy to read, copy and grep. */
export async function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const built = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  for (const row of rows) built.push(columns.map(({ cell }) => cell(row)));
  return built
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
