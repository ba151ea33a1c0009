import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { type AuditVerdict, verifyAuditFile } from '../../src/approval/audit-chain.ts';
import { sqliteRecord } from '../../src/store/sqlite/gateway-stores.ts';
import type { ProposalState } from '../../src/trading/proposal.ts';

/** A proposal as the gateway's own table has it. */
export interface GatewayProposal {
  readonly id: string;
  readonly state: ProposalState;
  readonly code: string;
  readonly symbol: string;
  readonly type: string;
  readonly clientOrderId: string;
  /** Times the person was asked. */
  readonly asked: number;
}

/** What the gateway's audit file says of a proposal. */
export interface AuditLine {
  readonly event: string;
  readonly proposal: string;
  readonly code: string;
}

/** What the gateway keeps, read past it: from its database and its audit file. */
export interface GatewayBook {
  proposals(): GatewayProposal[];
  audit(): AuditLine[];
  /** What `gateway audit verify` says. */
  verify(): Promise<AuditVerdict>;
  close(): void;
}

/** @param folder of the sandbox */
export function openGatewayBook(folder: string): GatewayBook {
  const database = new Database(join(folder, 'gateway.db'));
  const file = join(folder, 'audit.jsonl');
  return {
    proposals: () =>
      database
        .prepare<[], GatewayProposal>(
          `SELECT id, state, code, subject ->> 'symbol' AS symbol, subject ->> 'type' AS type,
             subject_id AS clientOrderId, asked FROM proposals ORDER BY rowid`,
        )
        .all(),
    audit() {
      if (!existsSync(file)) return [];
      const lines = readFileSync(file, 'utf8').split('\n');
      if (lines.pop() !== '') throw new Error('the audit file ends within a line');
      return lines.map((line) => JSON.parse(line) as AuditLine);
    },
    verify: () => verifyAuditFile(file, sqliteRecord(database).audit),
    close: () => database.close(),
  };
}
