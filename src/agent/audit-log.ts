import { randomUUID } from 'node:crypto';
import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../trading/clock.ts';
import { failpoint } from '../trading/failpoint.ts';
import type { Approval } from './approval-store.ts';
import type { StateDatabase } from './state-database.ts';

export type AuditEvent =
  | 'proposed'
  | 'requested'
  | 'approved'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'blocked'
  | 'sending'
  | 'not_sent'
  | 'answered'
  | 'unknown'
  | 'asked_again'
  | 'order_cancelled'
  | 'thread_deleted';

/**
 * Who asked, what was proposed, approved, sent, and answered: one JSON object a line, only ever appended. A line is
 * first noted in the state database, in the transaction that makes it true, and then moved to the file: no death in
 * between loses one, and none is there twice.
 */
export interface AuditLog {
  /** Notes a change of an approval. To be called in the transaction that changes the row. */
  note(event: AuditEvent, approval: Approval): void;
  /**
   * Writes what is noted to the file, whoever noted it.
   * @throws where it can't be written: an order that leaves no record is not sent
   */
  flush(): void;
  /** Notes and flushes an event that changes no row. */
  record(event: AuditEvent, facts: Readonly<Record<string, unknown>>): void;
}

interface Noted {
  seq: number;
  id: string;
  line: string;
}

export function createAuditLog(file: string, database: StateDatabase, clock: Clock): AuditLog {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });

  const insert = (event: AuditEvent, facts: Readonly<Record<string, unknown>>): void => {
    const id = randomUUID();
    const line = JSON.stringify({ at: new Date(clock.now()).toISOString(), event, id, ...facts });
    database.prepare('INSERT INTO audit_outbox (id, line) VALUES (?, ?)').run(id, line);
  };
  const noted = database.prepare<[], Noted>('SELECT seq, id, line FROM audit_outbox ORDER BY seq');

  /** Under the write lock, so that lines of several processes stand in the order of their transactions. */
  const moveToFile = database.transaction(() => {
    const rows = noted.all();
    const last = rows.at(-1);
    if (last === undefined) return;
    // A process that died after writing some of these wrote nothing else since, and neither did any other.
    const tail = readTail(file, Buffer.byteLength(rows.map(({ line }) => `${line}\n`).join('')));
    const whole = tail.slice(0, tail.lastIndexOf('\n') + 1);
    const missing = rows.filter(({ id }) => !whole.includes(id)).map(({ line }) => `${line}\n`);
    if (missing.length > 0) {
      // A line that was cut short is left as it is, and not glued to the next.
      const cut = whole.length < tail.length ? '\n' : '';
      appendFileSync(file, cut + missing.join(''), { mode: 0o600, flush: true });
      failpoint('audit.appended');
    }
    database.prepare('DELETE FROM audit_outbox WHERE seq <= ?').run(last.seq);
  });

  const log: AuditLog = {
    note(event, approval) {
      insert(event, {
        profile: approval.profile,
        sub: approval.sub,
        thread: approval.thread,
        approval: approval.id,
        attempt: approval.attempt,
        ...(approval.kind === 'message'
          ? { client_message_id: approval.draft.client_message_id }
          : { client_order_id: approval.draft.client_order_id }),
        code: approval.code,
        digest: approval.digest,
        status: approval.status,
        ...(approval.kind === 'message' ? { message: approval.draft } : { order: approval.draft }),
        ...(approval.reason === undefined ? {} : { reason: approval.reason }),
        ...resultOf(approval),
      });
    },
    flush() {
      if (noted.get() !== undefined) moveToFile.immediate();
    },
    record(event, facts) {
      insert(event, facts);
      log.flush();
    },
  };
  return log;
}

function resultOf(approval: Approval): Record<string, unknown> {
  if (approval.kind === 'message') return approval.sent === undefined ? {} : { sent: approval.sent };
  return approval.placed === undefined ? {} : { placed: approval.placed };
}

/** The last part of a file, up to so many bytes; empty where there is none. */
function readTail(file: string, longest: number): string {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(handle);
    const bytes = Buffer.alloc(Math.min(size, longest));
    const read = readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8', 0, read);
  } finally {
    closeSync(handle);
  }
}
