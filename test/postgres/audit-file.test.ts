import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { verifyAuditFile } from '../../src/approval/audit-chain.ts';
import { postgresAuditStore } from '../../src/store/postgres/audit-store.ts';
import { ensureTenantHead } from '../../src/store/postgres/head.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { blockDatabase, withPostgres } from './support/database.ts';

withPostgres('the record’s file', () => {
  const server = blockDatabase(gatewaySchema);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-record-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** One whose process stands still right after it has read lines of the record, once, while something else happens. */
  function standingStill(database: TenantDatabase, meanwhile: (lines: readonly string[]) => void): TenantDatabase {
    let isOver = false;
    return {
      ...database,
      write: (work) =>
        database.write((unit) =>
          work({
            ...unit,
            async all<Row>(...statement: Parameters<typeof unit.all>) {
              const rows = await unit.all<Row>(...statement);
              if (!isOver && statement[0].includes('FROM record_lines')) {
                isOver = true;
                meanwhile((rows as { line: string }[]).map(({ line }) => line));
              }
              return rows;
            },
          }),
        ),
    };
  }

  it('has each line once, also where one stood still over it while the database gave it to another', async () => {
    const file = join(folder, 'audit.jsonl');
    const database = await server.open();
    await ensureTenantHead(database);
    const store = postgresAuditStore(database);
    for (const sub of ['alice', 'bob']) await store.note({ event: 'halted', facts: { sub } }, 1000);
    const late = postgresAuditStore(
      standingStill(database, (lines) => appendFileSync(file, lines.map((line) => `${line}\n`).join(''))),
    );
    await late.moveToFile(file);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
    await store.note({ event: 'halted', facts: { sub: 'carol' } }, 1000);
    await late.moveToFile(file);
    expect(await verifyAuditFile(file, store)).toEqual({ ok: true, lines: 3 });
  });
});
