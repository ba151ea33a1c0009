import { expect, it } from 'vitest';
import { makeReceipt } from '../../../src/approval/receipts/make-receipt.ts';
import { createAuditStore } from '../../../src/store/sql/audit-store.ts';
import type { SqlTransactions, TransactionWork } from '../../../src/store/sql/sql-database.ts';
import { receiptSources, recordSentProposal, sentProposal } from '../../fixtures/receipt-sources.ts';

interface Read {
  readonly text: string;
  readonly rows: number;
}

/** Notes each statement, and how many rows it read or changed. */
function noted(database: SqlTransactions, reads: Read[]): SqlTransactions {
  const note = <Result extends readonly unknown[] | number | undefined>(text: string, result: Result): Result => {
    reads.push({ text, rows: typeof result === 'number' ? result : (result?.length ?? 0) });
    return result;
  };
  const noting = <T>(work: () => TransactionWork<T>) =>
    function* (): TransactionWork<T> {
      const steps = work();
      let step = steps.next();
      while (step.done !== true) step = steps.next(note(step.value.text, yield step.value));
      return step.value;
    };
  return {
    dialect: database.dialect,
    all: async <Row>(text: string, values?: object) => note(text, await database.all<Row>(text, values as never)),
    one: async <Row>(text: string, values?: object) =>
      note(text, await database.all<Row>(text, values as never))[0] as Row | undefined,
    run: async (text, values) => note(text, await database.run(text, values)),
    read: (work) => database.read(noting(work)),
    write: (work) => database.write(noting(work)),
  };
}

/** What a receipt reads, by the size of the record. @param open an empty gateway's database */
export function receiptCostContract(open: () => Promise<SqlTransactions>): void {
  const readFor = async (others: number) => {
    const database = await open();
    const reads: Read[] = [];
    const sources = await receiptSources(createAuditStore(noted(database, reads)));
    await recordSentProposal(database, createAuditStore(database), others);
    const { size } = await sources.sequence();
    expect(size).toBe(others + 7);
    reads.length = 0;
    const receipt = JSON.parse((await makeReceipt(sources, sentProposal)) ?? '');
    const places = (receipt.record as { leaf: number; proof: string[] }[]).map(({ leaf }) => leaf - others / 2);
    expect(places).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const rowsOf = (table: string) =>
      reads.filter(({ text }) => text.includes(table)).reduce((sum, { rows }) => sum + rows, 0);
    return { statements: reads.length, lines: rowsOf('record_lines'), tiles: rowsOf('record_tiles') };
  };

  it('reads for a receipt only the lines of its proposal and a tile or two a level, of 100,000 lines too', async () => {
    const few = await readFor(1_000);
    const many = await readFor(100_000);
    expect(few).toMatchObject({ statements: 5, lines: 7 });
    expect(many).toMatchObject({ statements: 5, lines: 7 });
    // A level has 256 times the lines of the one below it.
    expect(few.tiles).toBeLessThanOrEqual(2 * 2);
    expect(many.tiles).toBeLessThanOrEqual(2 * 3);
  }, 60_000);
}
