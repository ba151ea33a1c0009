import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GrowingTree, leafHash, rangeHasher, subtreesOf, tilesOfNodes } from '../../../src/store/merkle-tree.ts';
import { plainSigner, sequencedLines } from '../../fixtures/record-lines.ts';
import type { OpenedStores, OpenStores } from './gateway-factory.ts';

/** What every store of the record's lines promises. They are noted by halts here, as by any other unit of work. */
export function auditStoreContract(open: OpenStores): void {
  let opened: OpenedStores;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(async () => {
    await opened.close();
  });
  const noteFor = async (...subs: string[]) => {
    for (const sub of subs) await opened.stores.halts.halt(sub, 'cli', 1000);
  };
  const people = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `person-${from + at}`);
  const rootOf = (lines: readonly string[]) => {
    const tree = new GrowingTree();
    for (const line of lines) tree.add(leafHash(line));
    return tree.root().toString('hex');
  };

  describe('a store of the record’s lines', () => {
    it('keeps each as it was noted, and adds them to the tree in this order', async () => {
      const { audit } = opened.stores;
      expect(await audit.tree()).toEqual({ size: 0, checkpoint: undefined });
      expect(await audit.sequence(plainSigner, true)).toMatchObject({ size: 0, hasMore: false });
      await noteFor('alice', 'bob');
      await audit.note({ event: 'rules_tightened', facts: { sub: 'alice', digest: 'B', none: undefined } }, 2000);
      expect(await audit.leaves(0, 10)).toEqual([]);
      expect(await audit.pendingCount()).toBe(3);
      expect(await sequencedLines(audit)).toEqual([
        { event: 'halted', sub: 'alice', client: 'cli', at: '1970-01-01T00:00:01.000Z' },
        { event: 'halted', sub: 'bob', client: 'cli', at: '1970-01-01T00:00:01.000Z' },
        { event: 'rules_tightened', sub: 'alice', digest: 'B', at: '1970-01-01T00:00:02.000Z' },
      ]);
      expect(await audit.pendingCount()).toBe(0);
      const lines = (await audit.leaves(0, 10)).map(({ line }) => line);
      expect(await audit.tree()).toEqual({ size: 3, checkpoint: `3 ${rootOf(lines)}` });
      expect(await audit.leaves(1, 1)).toEqual([{ leaf: 1, line: lines[1] }]);
    });

    it('adds one line for a key, whichever process notes it first', async () => {
      const { audit } = opened.stores;
      const once = (key: string, sub: string) => audit.noteOnce(key, { event: 'halted', facts: { sub } }, 1000);
      await Promise.all([once('a', 'alice'), once('a', 'alice'), once('b', 'bob')]);
      await once('a', 'alice');
      const lines = await sequencedLines(audit);
      expect(lines.map(({ sub }) => sub).sort()).toEqual(['alice', 'bob']);
      // A key is not the ID of a proposal, even if a stranger chose it.
      expect(await audit.about(['a'])).toEqual([]);
    });

    it('finds a person’s lines, newest first, and those about a proposal or key, in the order of the tree', async () => {
      const { audit } = opened.stores;
      const note = (facts: object) => audit.note({ event: 'proposed', facts: { ...facts } }, 1000);
      await note({ sub: 'alice', proposal: 'pr_1' });
      await note({ sub: 'bob', approval: 'pr_1', credential_id: 'key-1' });
      await note({ sub: 'alice', credential_id: 'key-1' });
      await note({ proposal: 'pr_2' });
      const factsOf = (found: readonly { line: string }[]) => found.map(({ line }) => JSON.parse(line));
      expect((await audit.listByPerson('alice', 10))[0]?.leaf).toBeUndefined();
      await sequencedLines(audit);
      expect(await audit.listByPerson('alice', 10)).toMatchObject([{ leaf: 2 }, { leaf: 0 }]);
      expect(await audit.listByPerson('alice', 1)).toMatchObject([{ leaf: 2 }]);
      expect((await audit.about(['pr_1'])).map(({ leaf }) => leaf)).toEqual([0, 1]);
      expect(factsOf(await audit.about(['key-1', 'pr_2', 'pr_2', 'pr_3']))).toMatchObject([
        { credential_id: 'key-1', sub: 'alice' },
        { proposal: 'pr_2' },
      ]);
    });

    it('has the tiles of its tree, however it grew, at most a thousand lines at a time', async () => {
      const { audit } = opened.stores;
      for (const [from, count] of [
        [0, 100],
        [100, 200],
        [300, 1_001],
      ] as const) {
        for (const sub of people(count, from)) await audit.note({ event: 'halted', facts: { sub } }, 1000);
        const { hasMore } = (await audit.sequence(plainSigner, true)) ?? {};
        expect(hasMore).toBe(count > 1_000);
      }
      const lines = await sequencedLines(audit);
      expect(lines.map(({ sub }) => sub)).toEqual(people(1_301));
      const tiles = await audit.tiles(tilesOfNodes(subtreesOf(0, 1_301)));
      const root = rangeHasher(tiles)([0, 1_301]).toString('hex');
      expect(root).toBe(rootOf((await audit.leaves(0, 2_000)).map(({ line }) => line)));
      expect((await audit.tree()).checkpoint).toBe(`1301 ${root}`);
      expect(
        await audit.tiles([
          { level: 0, index: 5 },
          { level: 0, index: 9 },
        ]),
      ).toMatchObject([{ level: 0, index: 5 }]);
    }, 60_000);

    it('gives each line one place, whoever of two processes sequences it', async () => {
      const both = [opened.stores.audit, opened.another().audit];
      await noteFor(...people(30));
      await Promise.all([...both, ...both].map((audit) => audit.sequence(plainSigner, true)));
      await Promise.all(both.map((audit) => audit.sequence(plainSigner, false)));
      const lines = await opened.stores.audit.leaves(0, 100);
      expect(lines.map(({ leaf }) => leaf)).toEqual(people(30).map((_, at) => at));
      expect(lines.map(({ line }) => JSON.parse(line).sub)).toEqual(people(30));
    });

    it('is signed again by a new key, though nothing was added', async () => {
      const { audit } = opened.stores;
      await noteFor('alice');
      const { checkpoint } = (await audit.sequence(plainSigner, true)) ?? {};
      expect((await audit.sequence(plainSigner, true))?.checkpoint).toBe(checkpoint);
      const other = {
        sign: ({ size }: { size: number }) => `other ${size}`,
        hasSigned: (text: string) => text === 'other 1',
      };
      expect((await audit.sequence(other, true))?.checkpoint).toBe('other 1');
      expect((await audit.tree()).checkpoint).toBe('other 1');
    });

    it('keeps its tree as it was where signing fails', async () => {
      const { audit } = opened.stores;
      await noteFor('alice');
      await audit.sequence(plainSigner, true);
      await noteFor('bob');
      const before = await audit.tree();
      const broken = {
        ...plainSigner,
        sign: () => {
          throw new Error('no key');
        },
      };
      await expect(audit.sequence(broken, true)).rejects.toThrow('no key');
      expect(await audit.tree()).toEqual(before);
      expect(await audit.pendingCount()).toBe(1);
      expect((await sequencedLines(audit)).map(({ sub }) => sub)).toEqual(['alice', 'bob']);
    });
  });
}
