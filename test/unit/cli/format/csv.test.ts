import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatCsv } from '../../../../src/cli/format/csv.ts';
import { csvLists } from '../../../../src/cli/format/csv-lists.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** What a schema says of a member, through references and alternatives. */
function member(root: Schema, schema: Schema, name: string): Schema | undefined {
  const target = schema.$ref === undefined ? schema : root.$defs?.[schema.$ref.replace('#/$defs/', '')];
  const own = target?.properties?.[name];
  if (own !== undefined) return own;
  for (const one of target?.anyOf ?? []) {
    const found = member(root, one, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

describe('a list as CSV', () => {
  it.each(Object.entries(csvLists))('has columns that its schema knows: %s', (thing, { rows, columns }) => {
    const file = new URL(`../../../../docs/reference/schema/${thing}.json`, import.meta.url);
    const schema = JSON.parse(readFileSync(file, 'utf8')) as Schema;
    const items = member(schema, schema, rows)?.items;
    expect(items, rows).toBeDefined();
    for (const column of columns) {
      let at: Schema | undefined = items;
      for (const name of column.split('.')) at = at === undefined ? undefined : member(schema, at, name);
      expect(at, column).toBeDefined();
    }
  });

  const quotes = (...rows: object[]) => formatCsv('quotes', { quotes: rows }).replace(/\r\n$/, '').split('\r\n');

  it('ends its last line, so that a prompt or another file does not go on in it', () => {
    expect(formatCsv('quotes', { quotes: [] })).toMatch(/simulated\r\n$/);
  });

  it('has a line of heads, and nothing else where it is empty', () => {
    expect(quotes()).toEqual(['symbol,name,bid,ask,last,previous_close,at,simulated']);
  });

  it('keeps a spreadsheet from running text as a formula, and leaves numbers as they are', () => {
    const [, line] = quotes({ symbol: '=1+1', name: '@SUM(A1)', bid: '-5.20', ask: '+5', last: '-a"b,c' });
    expect(line).toBe(`'=1+1,'@SUM(A1),-5.20,'+5,"'-a""b,c",,,`);
  });

  it('has gains for a tax adviser: losses are numbers, and no symbol is run', () => {
    const line = {
      description: '=cmd()',
      proceeds: '1.00',
      cost: '3.00',
      gain: '-2.00',
      symbol: '@SUM(A1)',
      acquired: null,
    };
    const [, row] = formatCsv('gains', { gains: [line] }).split('\r\n');
    expect(row).toBe("'=cmd(),,,1.00,3.00,,,-2.00,,'@SUM(A1),,");
  });

  it('keeps a row on one line, without what could redraw a terminal', () => {
    const [, line] = quotes({ symbol: 'A\r\nB\u001b[2J', simulated: true });
    expect(line).toMatch(/^A B.*,,,,,,true$/);
    expect(line).not.toContain('\u001b');
  });
});
