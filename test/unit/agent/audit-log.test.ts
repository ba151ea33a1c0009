import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createAuditLog } from '../../../src/agent/audit-log.ts';
import { openStateDatabase } from '../../../src/agent/state-database.ts';
import { drafted, openStores, type Stores } from './approval-fixture.ts';
import { VirtualClock } from '../../virtual-clock.ts';

interface Line {
  readonly event: string;
  readonly id: string;
}

const textOf = ({ auditFile }: Stores) => readFileSync(auditFile, 'utf8');
const linesOf = (stores: Stores): Line[] =>
  textOf(stores)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const eventsOf = (stores: Stores) => linesOf(stores).map(({ event }) => event);

/** Another process on the same files. */
function otherLog({ file, key, auditFile }: Stores, clock: VirtualClock) {
  const database = openStateDatabase(file, key);
  return { log: createAuditLog(auditFile, database, clock), close: () => database.close() };
}

describe('the audit log', () => {
  it('tells each change of an approval once, in order, for its owner alone to read', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const { id } = drafted(stores, clock);
    stores.approvals.move(id, 'requested', { authReqId: 'a' });
    stores.approvals.move(id, 'denied', { reason: { code: 'approval_denied', text: 'denied on the phone' } });
    stores.audit.flush();
    stores.audit.flush();
    expect(linesOf(stores)).toMatchObject([
      { event: 'proposed', approval: id, status: 'drafted', order: { symbol: 'AAPL', qty: '5' } },
      { event: 'requested', approval: id },
      { event: 'denied', approval: id, reason: 'denied on the phone' },
    ]);
    expect(statSync(stores.auditFile).mode & 0o777).toBe(0o600);
  });

  it('says nothing of a change that was not made', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const { id } = drafted(stores, clock);
    expect(stores.approvals.move(id, 'executed').moved).toBe(false);
    stores.audit.flush();
    expect(eventsOf(stores)).toEqual(['proposed']);
  });

  it('has the line of a process that died between the change and the file', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    drafted(stores, clock);
    stores.database.close();
    const other = otherLog(stores, clock);
    other.log.flush();
    other.close();
    expect(eventsOf(stores)).toEqual(['proposed']);
  });

  it('has the line of a process that died just after writing it once', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const { id } = drafted(stores, clock);
    stores.audit.flush();
    stores.approvals.move(id, 'cancelled', { reason: { code: 'approval_cancelled', text: 'taken back' } });
    const { line } = stores.database.prepare('SELECT line FROM audit_outbox').get() as { line: string };
    appendFileSync(stores.auditFile, `${line}\n`);
    const other = otherLog(stores, clock);
    other.log.flush();
    other.log.record('thread_deleted', { thread: 't1' });
    other.close();
    expect(eventsOf(stores)).toEqual(['proposed', 'cancelled', 'thread_deleted']);
  });

  it('has the many lines of a process that died just after writing them once each', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    // As many as gather while the disk is full, say: none of them is flushed.
    for (let number = 0; number < 200; number++) drafted(stores, clock, `tc_${number}`);
    const noted = stores.database.prepare('SELECT line FROM audit_outbox ORDER BY seq').pluck();
    const lines = noted.all() as string[];
    appendFileSync(stores.auditFile, lines.map((line) => `${line}\n`).join(''));
    const other = otherLog(stores, clock);
    other.log.flush();
    other.close();
    expect(textOf(stores).trimEnd().split('\n')).toEqual(lines);
  });

  it('writes a line again that was cut short, on a line of its own', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const { id } = drafted(stores, clock);
    stores.audit.flush();
    stores.approvals.move(id, 'cancelled', { reason: { code: 'approval_cancelled', text: 'taken back' } });
    const { line } = stores.database.prepare('SELECT line FROM audit_outbox').get() as { line: string };
    appendFileSync(stores.auditFile, line.slice(0, 100));
    stores.audit.flush();
    const lines = textOf(stores).trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe(line.slice(0, 100));
    expect(lines[2]).toBe(line);
  });

  it('keeps a line that cannot be written until it can', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    mkdirSync(stores.auditFile);
    drafted(stores, clock);
    expect(() => stores.audit.flush()).toThrow(/EISDIR/);
    rmSync(stores.auditFile, { recursive: true });
    stores.audit.flush();
    expect(eventsOf(stores)).toEqual(['proposed']);
  });

  it('names each line, so that a reader can tell two alike apart', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    stores.audit.record('thread_deleted', { thread: 't1' });
    stores.audit.record('thread_deleted', { thread: 't1' });
    expect(new Set(linesOf(stores).map(({ id }) => id)).size).toBe(2);
  });
});
