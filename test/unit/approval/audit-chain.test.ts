import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import canonicalize from 'canonicalize';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AuditChain, verifyAuditFile } from '../../../src/approval/audit-chain.ts';
import type { AuditEvent } from '../../../src/store/audit.ts';
import { createAuditLogWriter } from '../../../src/store/sqlite/audit-store.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { VirtualClock } from '../../virtual-clock.ts';

type Entry = Record<string, unknown>;

/** A record of so many lines. */
async function recordOf(count: number) {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-audit-'));
  const file = join(folder, 'audit.jsonl');
  const clock = new VirtualClock();
  const open = () => {
    const database = new Database(join(folder, 'gateway.db'));
    database.pragma('synchronous = OFF');
    onTestFinished(() => void database.close());
    const { audit } = createSqliteGatewayStores(database);
    const noteLine = createAuditLogWriter(database);
    const note = (event: AuditEvent, facts: Entry) => noteLine({ event, facts }, clock.now());
    return { database, audit, note, chain: new AuditChain(file, audit) };
  };
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { database, audit, note, chain } = open();
  for (let number = 1; number <= count; number++) note('proposed', { proposal: `pr_${number}`, qty: '5' });
  await chain.flush();
  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return {
    file,
    database,
    note,
    chain,
    open,
    lines,
    noted: () => database.prepare('SELECT line FROM audit_noted ORDER BY seq').pluck().all() as string[],
    write: (changed: string[]) => writeFileSync(file, changed.map((line) => `${line}\n`).join('')),
    verify: () => verifyAuditFile(file, audit),
  };
}
/** The same with the hash that it should have. */
function rehashed(entry: Entry): Entry {
  const { hash: _, ...rest } = entry;
  return {
    ...rest,
    hash: createHash('sha256')
      .update(canonicalize(rest) ?? '')
      .digest('hex'),
  };
}
const parsed = (line: string | undefined) => JSON.parse(line ?? '') as Entry;

describe('the gateway’s record', () => {
  it('is moved once for all who come while it is', async () => {
    const { file, open, note, lines } = await recordOf(1);
    const { audit } = open();
    const gate = Promise.withResolvers<void>();
    let moves = 0;
    const chain = new AuditChain(file, {
      async moveToFile(to) {
        moves += 1;
        await audit.moveToFile(to);
        // What is noted from here on is not among it.
        if (moves === 1) await gate.promise;
      },
    });
    const first = chain.flush();
    await Promise.resolve();
    note('proposed', { proposal: 'pr_late' });
    const later = [chain.flush(), chain.flush(), chain.flush()];
    gate.resolve();
    await Promise.race(later);
    expect(lines().at(-1)).toContain('pr_late');
    await Promise.all([first, ...later]);
    expect(moves).toBe(2);
    await chain.flush();
    expect(moves).toBe(3);
  });

  it('of nothing is whole', async () => {
    expect(await (await recordOf(0)).verify()).toEqual({ ok: true, lines: 0 });
  });

  it('is whole where a text in it has what ends a line elsewhere', async () => {
    const record = await recordOf(1);
    record.note('key_enrolled', { name: 'a\u2028phone\u2029of\u0085mine' });
    record.note('proposed', { proposal: 'pr_2' });
    await record.chain.flush();
    expect(await record.verify()).toEqual({ ok: true, lines: 3 });
  });

  it('is whole as a copy whose lines end as Windows has them', async () => {
    const record = await recordOf(3);
    record.write(record.lines().map((line) => `${line}\r`));
    expect(await record.verify()).toEqual({ ok: true, lines: 3 });
  });

  it.each([1, 5, 10])('shows that line %i of ten was changed', async (at) => {
    const record = await recordOf(10);
    record.write(record.lines().map((line, index) => (index + 1 === at ? line.replace('"5"', '"500"') : line)));
    expect(await record.verify()).toEqual({ ok: false, line: at, seq: at, what: 'changed' });
  });

  it.each([
    [1, 2],
    [5, 6],
    [10, 10],
  ])('shows that line %i was changed together with its hash: line %i does not follow', async (at, shown) => {
    const record = await recordOf(10);
    record.write(
      record
        .lines()
        .map((line, index) => (index + 1 === at ? JSON.stringify(rehashed({ ...parsed(line), qty: '500' })) : line)),
    );
    expect(await record.verify()).toMatchObject({ ok: false, line: shown, what: 'changed' });
  });

  it.each([1, 5, 10])('shows that line %i of ten was removed', async (at) => {
    const record = await recordOf(10);
    record.write(record.lines().filter((_, index) => index + 1 !== at));
    expect(await record.verify()).toEqual({ ok: false, line: at, seq: at, what: 'removed' });
  });

  it('shows that all of it was removed', async () => {
    const record = await recordOf(10);
    rmSync(record.file);
    expect(await record.verify()).toEqual({ ok: false, line: 1, seq: 1, what: 'removed' });
  });

  it.each([2, 6, 11])('shows a line added at %i', async (at) => {
    const record = await recordOf(10);
    const lines = record.lines();
    record.write(lines.toSpliced(at - 1, 0, lines[at - 2] ?? ''));
    expect(await record.verify()).toMatchObject({ ok: false, line: at, what: 'added' });
  });

  it('shows a line added at the end that follows from the last', async () => {
    const record = await recordOf(10);
    const last = parsed(record.lines().at(-1));
    appendFileSync(record.file, `${JSON.stringify(rehashed({ ...last, seq: 11, prev: last.hash }))}\n`);
    expect(await record.verify()).toEqual({ ok: false, line: 11, seq: 11, what: 'added' });
  });

  it('shows that two lines changed places', async () => {
    const record = await recordOf(10);
    const lines = record.lines();
    record.write(lines.toSpliced(3, 2, lines[4] ?? '', lines[3] ?? ''));
    expect(await record.verify()).toMatchObject({ ok: false, line: 4 });
  });

  it('shows a whole chain of somebody else’s making', async () => {
    const record = await recordOf(10);
    const other = await recordOf(0);
    for (let number = 1; number <= 10; number++) other.note('proposed', { proposal: 'forged' });
    await other.chain.flush();
    record.write(other.lines());
    expect(await record.verify()).toEqual({ ok: false, line: 10, seq: 10, what: 'changed' });
  });

  it.each([
    ['a member given twice', (line: string) => line.replace('{', '{"qty":"500",')],
    ['white space', (line: string) => line.replace('{', '{ ')],
  ])('shows %s', async (_, change) => {
    const record = await recordOf(3);
    record.write(record.lines().map((line, index) => (index === 1 ? change(line) : line)));
    expect(await record.verify()).toEqual({ ok: false, line: 2, seq: 2, what: 'changed' });
  });

  it.each(['not JSON', '{}', 'null', '[]', '{"seq":2.5,"hash":"x"}', '{"seq":"2","hash":"x"}'])(
    'shows a line that is %s',
    async (text) => {
      const record = await recordOf(3);
      record.write(record.lines().toSpliced(1, 0, text));
      expect(await record.verify()).toEqual({ ok: false, line: 2, seq: 2, what: 'unreadable' });
      record.write([...record.lines().filter((line) => line !== text), text]);
      expect(await record.verify()).toEqual({ ok: false, line: 4, seq: 4, what: 'unreadable' });
    },
  );

  it('counts what is noted and not yet in the file', async () => {
    const record = await recordOf(3);
    record.note('halted', { sub: 'alice' });
    expect(await record.verify()).toEqual({ ok: true, lines: 4 });
    record.database.prepare(`UPDATE audit_noted SET line = replace(line, 'alice', 'bob')`).run();
    expect(await record.verify()).toEqual({ ok: false, line: 4, seq: 4, what: 'changed' });
  });

  it('is whole while the gateway goes on writing', async () => {
    const record = await recordOf(500);
    const verifying = record.verify();
    record.note('halted', { sub: 'alice' });
    await record.chain.flush();
    expect(await verifying).toEqual({ ok: true, lines: 500 });
    expect(await record.verify()).toEqual({ ok: true, lines: 501 });
  });

  it('writes a line again that was cut short, on a line of its own, and is whole', async () => {
    const record = await recordOf(2);
    record.note('requested', {});
    const [line = ''] = record.noted();
    appendFileSync(record.file, line.slice(0, 50));
    expect(await record.verify()).toEqual({ ok: true, lines: 3 });
    await record.open().chain.flush();
    expect(record.lines().slice(2)).toEqual([line.slice(0, 50), line]);
    expect(await record.verify()).toEqual({ ok: true, lines: 3 });
  });

  it('shows a cut line that is not the beginning of the next', async () => {
    const record = await recordOf(3);
    record.write(record.lines().toSpliced(1, 0, '{"proposal":"pr_9'));
    expect(await record.verify()).toEqual({ ok: false, line: 2, seq: 2, what: 'unreadable' });
  });

  it('keeps a line that cannot be written until it can', async () => {
    const record = await recordOf(0);
    mkdirSync(record.file);
    record.note('halted', { sub: 'alice' });
    await expect(record.chain.flush()).rejects.toThrow(/EISDIR/);
    record.chain.flushSoon();
    await new Promise(setImmediate);
    rmSync(record.file, { recursive: true });
    await record.chain.flush();
    expect(await record.verify()).toEqual({ ok: true, lines: 1 });
  });
});
