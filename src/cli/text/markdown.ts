import stringWidth from 'string-width';
import { wrapWords } from './wrap.ts';

/** How to emphasize text. Without a style, Markdown's emphasis marks are removed. */
export interface MarkdownStyle {
  strong(text: string): string;
  /** Styles a signed amount or percentage, such as a gain. */
  signed?(text: string): string;
}

const noStyle: MarkdownStyle = { strong: (text) => text };

/**
 * Renders the agent's Markdown (tables, bold, headings, code blocks) on a terminal, line by line as it arrives. A table
 * is rendered when it is complete, because its column widths depend on all rows.
 */
export class TerminalMarkdown {
  readonly #columns: number;
  readonly #style: MarkdownStyle;
  #rest = '';
  #table: string[] = [];
  #fence: string | undefined;

  constructor(columns: number, style: MarkdownStyle = noStyle) {
    this.#columns = columns;
    this.#style = style;
  }

  /** Adds the next chunk of Markdown and returns the lines that are ready to print. */
  write(delta: string): string {
    const lines = (this.#rest + delta).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => this.#line(line)).join('');
  }

  end(): string {
    const last = this.#rest === '' ? '' : this.#line(this.#rest);
    this.#rest = '';
    this.#fence = undefined;
    return last + this.#flushTable();
  }

  #line(line: string): string {
    const fence = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (this.#fence !== undefined) {
      if (!fence?.startsWith(this.#fence)) return `  ${line}\n`;
      this.#fence = undefined;
      return '';
    }
    if (fence !== undefined) {
      this.#fence = fence;
      return this.#flushTable();
    }
    if (line.trimStart().startsWith('|')) {
      this.#table.push(line);
      return '';
    }
    return `${this.#flushTable()}${this.#styled(line)}\n`;
  }

  #styled(line: string): string {
    const heading = /^#{1,6}\s+(.*)$/.exec(line)?.[1];
    return heading === undefined ? plainInline(line, this.#style) : this.#style.strong(plainInline(heading, noStyle));
  }

  #gains(row: string): string {
    const { signed } = this.#style;
    if (signed === undefined) return row;
    return row.replace(/(?<=^| )[-+](\$[\d,]+(\.\d+)?|\d+(\.\d+)?%)(?= |$)/g, (amount) => signed(amount));
  }

  #flushTable(): string {
    const rows = this.#table.map(parseCells).filter((cells) => !isRule(cells));
    const aligns = this.#table.map(parseCells).find(isRule);
    this.#table = [];
    const [head, ...body] = rows;
    if (head === undefined) return '';
    const [wideHead = '', ...wideBody] = fitRows(rows, aligns ?? [], this.#columns);
    const fits = [wideHead, ...wideBody].every((row) => stringWidth(row) <= this.#columns);
    if (!fits) return `${toRecordRows([head, ...body]).join('\n')}\n`;
    // A table without a delimiter row has no header.
    const first = aligns === undefined ? wideHead : this.#style.strong(wideHead);
    return `${[first, ...wideBody.map((row) => this.#gains(row))].join('\n')}\n`;
  }
}

export function renderTerminalMarkdown(text: string, columns: number, style?: MarkdownStyle): string {
  const markdown = new TerminalMarkdown(columns, style);
  return (markdown.write(text) + markdown.end()).replace(/\n+$/, '');
}

function plainInline(line: string, style: MarkdownStyle): string {
  return line.replace(/\*\*(.+?)\*\*/g, (_, strong: string) => style.strong(strong)).replace(/`([^`]+)`/g, '$1');
}

function isRule(cells: readonly string[]): boolean {
  return cells.every((cell) => /^:?-+:?$/.test(cell));
}

function parseCells(row: string): string[] {
  return row
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => plainInline(cell.trim(), noStyle));
}

const numeric = /^[-+]?\$?[\d,]*\.?\d+%?$/;

/** Minimum width of the first column. In a narrower column, a name would wrap after every word. */
const MIN_NAME_WIDTH = 11;

/** Aligns the rows of a table. If they are too wide, wraps the first column. */
function fitRows(rows: readonly string[][], aligns: readonly string[], columns: number): string[] {
  const wide = alignRows(rows, aligns);
  const over = Math.max(...wide.map((row) => stringWidth(row))) - columns;
  const name = Math.max(...rows.map(([first = '']) => stringWidth(first)));
  if (over <= 0 || name - over < MIN_NAME_WIDTH) return wide;
  const broken = rows.flatMap(([first = '', ...cells]) =>
    wrapWords(first, name - over).map((part, line) => [part, ...cells.map((cell) => (line === 0 ? cell : ''))]),
  );
  return alignRows(broken, aligns);
}

/** Aligns the rows of a table. A column is right-aligned if the Markdown says so, or if it contains only numbers. */
function alignRows(rows: readonly string[][], aligns: readonly string[]): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, index) =>
    Math.max(...rows.map((row) => stringWidth(row[index] ?? ''))),
  );
  const right = widths.map((_, index) => {
    const said = aligns[index] ?? '';
    if (said.includes(':')) return said.endsWith(':') && !said.startsWith(':');
    return rows.length > 1 && rows.slice(1).every((row) => (row[index] ?? '') === '' || numeric.test(row[index] ?? ''));
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

/** Formats a table that is too wide: one line per row, with the column's name before each value. */
function toRecordRows([head = [], ...rows]: readonly string[][]): string[] {
  return rows.map(([first = '', ...cells]) =>
    [first, ...cells.flatMap((cell, index) => (cell === '' ? [] : [`${head[index + 1] ?? ''} ${cell}`.trim()]))].join(
      ' · ',
    ),
  );
}
