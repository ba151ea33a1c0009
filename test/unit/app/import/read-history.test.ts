import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readActivityFile } from '../../../../src/app/imports.ts';

const NOW = Date.parse('2026-11-26T17:00:00Z');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(content: string | Buffer) {
  const file = join(folder, 'h.csv');
  writeFileSync(file, content);
  return readActivityFile(file, NOW);
}
const HEAD = 'date,type,symbol,qty,price,amount\n';
const one = (line: string) => {
  const { rows, bad } = read(HEAD + line);
  expect(bad).toEqual([]);
  return rows[0]?.activity;
};
const reason = (line: string) => read(HEAD + line).bad[0]?.reason;

describe('a spin-off', () => {
  const heads = 'date,type,symbol,qty,from,fraction\n';
  it('says whose cost it divides, and how', () => {
    expect(read(`${heads}2012-05-01,spin_off,PSX,50,cop,0.2291`).rows[0]?.activity).toMatchObject({
      ...{ kind: 'other', type: 'SPIN', symbol: 'PSX', qty: '50' },
      basis: { from: 'COP', fraction: '0.2291' },
    });
    expect(read(`${heads}2012-05-01,split,KO,30,,`).rows[0]?.activity).not.toHaveProperty('basis');
  });

  it.each([
    ['COP,', 'fraction must be'],
    ['COP,0', 'fraction must be'],
    ['COP,1', 'fraction must be'],
    ['COP,22.91', 'fraction must be'],
    [',0.2291', 'from is missing'],
    ['C P,0.2291', 'symbol "C P"'],
  ])('of "%s" is refused', (columns, why) => {
    expect(read(`${heads}2012-05-01,spin_off,PSX,50,${columns}`).bad[0]?.reason).toContain(why);
  });
});

describe('a row', () => {
  it.each([
    ['2026-03-02,buy,KO,10,62.5,', { kind: 'fill', side: 'buy', qty: '10', price: '62.5', amount: null }],
    ['2026-03-02,SELL,ko,-10,62.5,"$625.00"', { kind: 'fill', side: 'sell', symbol: 'KO', qty: '10' }],
    ['2026-03-02,deposit,,,,"$12,345.60"', { kind: 'deposit', amount: '12345.6', symbol: null }],
    ['2026-03-02,withdrawal,,,,50', { kind: 'withdrawal', amount: '-50' }],
    ['2026-03-02,fee,,,,-1.25', { kind: 'fee', amount: '-1.25' }],
    ['2026-03-02,dividend,KO,,,-3', { kind: 'dividend', symbol: 'KO', amount: '-3' }],
    ['2026-03-02,split,KO,30,,', { kind: 'other', type: 'SPLIT', qty: '30' }],
  ])('%s is what it says, and imported', (line, expected) => {
    expect(one(line)).toMatchObject({ ...expected, imported: true });
  });

  it('of a day alone is at its first moment in New York; of an instant, at that', () => {
    expect(one('2026-03-02,deposit,,,,1')?.at).toBe('2026-03-02T05:00:00.000Z');
    expect(one('2026-07-02,deposit,,,,1')?.at).toBe('2026-07-02T04:00:00.000Z');
    expect(one('2026-07-02T10:15:00-04:00,deposit,,,,1')?.at).toBe('2026-07-02T14:15:00.000Z');
  });

  it.each([
    ['2026-02-30,deposit,,,,1', 'date "2026-02-30" must look like 2026-03-31'],
    ['03/02/2026,deposit,,,,1', 'date "03/02/2026" must look like'],
    ['2026-11-27,deposit,,,,1', 'date 2026-11-27 is in the future'],
    ['1999-01-04,deposit,,,,1', 'date 1999-01-04 is before 2010'],
    ['2026-03-02,constructor,,,,1', 'type "constructor" must be one of buy, sell'],
    ['2026-03-02,buy,,1,1,', 'symbol is missing'],
    ['2026-03-02,buy,=1+1,1,1,', 'symbol "=1+1"'],
    ['2026-03-02,buy,ﬁ,1,1,', 'must be printable ASCII'],
    ['2026-03-02,buy,KO,,1,', 'qty is missing'],
    ['2026-03-02,buy,KO,0,1,', 'qty is missing'],
    ['2026-03-02,buy,KO,1,,', 'price is missing'],
    ['2026-03-02,buy,KO,1,-1,', 'price is missing'],
    ['2026-03-02,buy,KO,1e3,1,', 'qty "1e3" is not a number'],
    ['2026-03-02,deposit,,,,"1.234,50"', 'amount "1.234,50" is not a number'],
    ['2026-03-02,deposit,,,,', 'amount is missing'],
    ['2026-03-02,buy,KO,10,5,51', 'amount 51.00 does not equal qty × price, 50.00: leave amount empty'],
    ['2026-03-02,buy,KO,10', 'it has 4 cells, but the header has 6'],
  ])('%s is refused with the reason', (line, expected) => {
    expect(reason(line)).toContain(expected);
  });
});

describe('a file', () => {
  it('has lines as an editor counts them, whatever is quoted or empty, in any order of columns', () => {
    const { rows, bad, ignored } = read(
      '\ufeffNote,TYPE,Date,amount\r\n"two\r\nlines",deposit,2026-03-02,5\r\n\r\n,deposit,2026-03-02,x\r\n',
    );
    expect(rows.map(({ line }) => line)).toEqual([3]);
    expect(bad.map(({ line }) => line)).toEqual([5]);
    expect(ignored).toEqual(['Note']);
  });

  it('gives a row the same id wherever it stands, and two rows that say the same one each', () => {
    const ids = (content: string) => read(content).rows.map(({ activity }) => activity.id);
    const [buy, fee] = ['2026-03-02,buy,KO,1,5,\n', '2026-03-02,fee,,,,1\n'];
    const [first, second, third] = ids(HEAD + buy + buy + fee);
    expect(new Set([first, second, third]).size).toBe(3);
    expect(ids(HEAD + fee + buy)).toEqual([third, first]);
    expect(read(HEAD + buy).id).toBe(read(HEAD + buy).id);
    expect(read(HEAD + buy).id).not.toBe(read(HEAD + fee).id);
  });

  it.each([
    ['', 'is empty'],
    ['type,symbol\nbuy,KO\n', 'has no column "date"'],
    ['date,type,Date\n', 'has the column "date" twice'],
    ['date,type\n2026-03-02,"dep', 'is not CSV'],
    [Buffer.from([0x64, 0xff, 0xfe]), 'is not UTF-8'],
  ])('%j is refused whole', (content, expected) => {
    expect(() => read(content)).toThrow(expected);
  });

  it('that is none, is a folder or is huge is refused', () => {
    expect(() => readActivityFile(join(folder, 'none.csv'), NOW)).toThrow('there is no file');
    expect(() => readActivityFile(folder, NOW)).toThrow('is not a file');
    expect(() => read(Buffer.alloc(16 * 1024 * 1024 + 1, 'a'))).toThrow('is larger than 16 MiB');
  });
});
