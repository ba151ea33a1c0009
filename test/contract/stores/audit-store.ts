import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_AUDIT_HEAD, hashAuditEntry } from '../../../src/store/audit.ts';
import type { OpenedStores, OpenStores } from './gateway-factory.ts';

/** What every store of the record's lines promises. They are noted by halts here, as by any other unit of work. */
export function auditStoreContract(open: OpenStores): void {
  let opened: OpenedStores;
  let folder: string;
  let file: string;
  beforeEach(async () => {
    opened = await open();
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-record-'));
    file = join(folder, 'audit.jsonl');
  });
  afterEach(async () => {
    await opened.close();
    rmSync(folder, { recursive: true });
  });
  const noteFor = async (...subs: string[]) => {
    for (const sub of subs) await opened.stores.halts.halt(sub, 'cli', 1000);
  };
  const pending = async () => (await opened.stores.audit.snapshot(file)).pending;
  const written = () => readFileSync(file, 'utf8');
  const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

  describe('a store of the record’s lines', () => {
    it('has each with the hash of the one before', async () => {
      expect((await opened.stores.audit.snapshot(file)).head).toEqual(EMPTY_AUDIT_HEAD);
      await noteFor('alice', 'bob');
      const { head, pending } = await opened.stores.audit.snapshot(file);
      const [first, second] = pending.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(first).toMatchObject({ seq: 1, event: 'halted', sub: 'alice', prev: EMPTY_AUDIT_HEAD.hash });
      expect(second).toMatchObject({ seq: 2, event: 'halted', sub: 'bob', prev: first?.hash });
      expect(head).toEqual({ seq: 2, hash: hashAuditEntry(second ?? {}) });
    });

    it('notes one that no other store writes, after those there are', async () => {
      await noteFor('alice');
      await opened.stores.audit.note({ event: 'rules_tightened', facts: { sub: 'alice', digest: 'B' } }, 2000);
      const [first, second] = (await pending()).map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(second).toMatchObject({ seq: 2, event: 'rules_tightened', digest: 'B', prev: first?.hash });
    });

    it('moves them to the end of the file, in order, once, for its owner alone to read', async () => {
      const { audit } = opened.stores;
      await audit.moveToFile(file);
      expect(existsSync(file)).toBe(false);
      await noteFor('alice', 'bob');
      const first = await pending();
      expect(await audit.pendingCount(file)).toBe(2);
      await audit.moveToFile(file);
      expect(await audit.pendingCount(file)).toBe(0);
      await noteFor('carol');
      expect(await audit.pendingCount(file)).toBe(1);
      const second = await pending();
      await audit.moveToFile(file);
      await audit.moveToFile(file);
      expect(written()).toBe(textOf([...first, ...second]));
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const { head, ...standing } = await audit.snapshot(file);
      expect(standing).toEqual({ pending: [], bytes: statSync(file).size });
      expect(head.seq).toBe(3);
    });

    it('moves each once, whoever of two processes does it', async () => {
      await noteFor('alice', 'bob', 'carol');
      const lines = await pending();
      const both = [opened.stores.audit, opened.another().audit];
      await Promise.all([...both, ...both].map((audit) => audit.moveToFile(file)));
      expect(written()).toBe(textOf(lines));
    });

    it.each([1, 2])('has %i of two once that a process wrote and died', async (count) => {
      await noteFor('alice', 'bob');
      const lines = await pending();
      appendFileSync(file, textOf(lines.slice(0, count)));
      await opened.another().audit.moveToFile(file);
      expect(written()).toBe(textOf(lines));
    });

    it('leaves a line that was cut short as it is', async () => {
      await noteFor('alice');
      const [line = ''] = await pending();
      appendFileSync(file, line.slice(0, 20));
      await opened.stores.audit.moveToFile(file);
      expect(written()).toBe(`${line.slice(0, 20)}\n${line}\n`);
    });

    it('keeps them where the file can’t be written', async () => {
      await noteFor('alice');
      const lines = await pending();
      await expect(opened.stores.audit.moveToFile(join(folder, 'missing', 'audit.jsonl'))).rejects.toThrow();
      expect(await pending()).toEqual(lines);
    });
  });
}
