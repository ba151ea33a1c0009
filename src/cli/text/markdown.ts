import stringWidth from 'string-width';

/**
 * Makes the little Markdown that answers use (tables, bold, headings) readable on a terminal, line by line as it
 * arrives. Tables are held back until they are whole, since only then the widths of their columns are known.
 */
export class TerminalMarkdown {
  readonly #columns: number;
  #rest = '';
  #table: string[] = [];

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Takes a piece of the text and returns what can be shown of it: whole lines. */
  write(delta: string): string {
    const lines = (this.#rest + delta).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => this.#line(line)).join('');
  }

  /** Returns what is left. */
  end(): string {
    const last = this.#rest === '' ? '' : this.#line(this.#rest);
    this.#rest = '';
    return last + this.#flushTable();
  }

  #line(line: string): string {
    if (line.trimStart().startsWith('|')) {
      this.#table.push(line);
      return '';
    }
    return `${this.#flushTable()}${plainInline(line)}\n`;
  }

  #flushTable(): string {
    const rows = this.#table.map(cellsOf).filter((cells) => !cells.every((cell) => /^:?-+:?$/.test(cell)));
    const aligns = this.#table.map(cellsOf).find((cells) => cells.every((cell) => /^:?-+:?$/.test(cell)));
    this.#table = [];
    if (rows.length === 0) return '';
    const wide = alignedRows(rows, aligns ?? []);
    const fits = wide.every((row) => stringWidth(row) <= this.#columns);
    return `${(fits ? wide : recordRows(rows)).join('\n')}\n`;
  }
}

/** A whole text at once. */
export function terminalMarkdown(text: string, columns: number): string {
  const markdown = new TerminalMarkdown(columns);
  return (markdown.write(text) + markdown.end()).replace(/\n+$/, '');
}

function plainInline(line: string): string {
  return line
    .replace(/^#{1,6}\s+/, '')
    .replace(/\*\*(.+?)\*\*/g, '$1')
    .replace(/`([^`]+)`/g, '$1');
}

function cellsOf(row: string): string[] {
  return row
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => plainInline(cell.trim()));
}

const numeric = /^[-+]?\$?[\d,]*\.?\d+%?$/;

/** Columns are set to the right where the Markdown says so, or where they hold numbers only. */
function alignedRows(rows: readonly string[][], aligns: readonly string[]): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, index) =>
    Math.max(...rows.map((row) => stringWidth(row[index] ?? ''))),
  );
  const right = widths.map((_, index) => {
    const said = aligns[index] ?? '';
    if (said.includes(':')) return said.endsWith(':') && !said.startsWith(':');
    return rows.length > 1 && rows.slice(1).every((row) => numeric.test(row[index] ?? ''));
  });
  return rows.map((row) =>
    widths
      .map((width, index) => {
        const cell = row[index] ?? '';
        const space = ' '.repeat(width - stringWidth(cell));
        return right[index] ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** A table too wide for the terminal: each row as a line of its own, values named by their columns. */
function recordRows([head = [], ...rows]: readonly string[][]): string[] {
  return rows.map(([first = '', ...cells]) =>
    [first, ...cells.map((cell, index) => `${head[index + 1] ?? ''} ${cell}`.trim())].join(' · '),
  );
}
