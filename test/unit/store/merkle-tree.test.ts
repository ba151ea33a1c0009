import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appendToTiles,
  combineHashes,
  consistencyRanges,
  GrowingTree,
  inclusionRanges,
  incompleteTiles,
  leafHash,
  rangeHasher,
  rootFromInclusion,
  rootsFromConsistency,
  subtreesOf,
  type Tile,
  tilesOfNodes,
} from '../../../src/store/merkle-tree.ts';

/** The definition of RFC 6962 §2.1, word for word. */
function definedRoot(lines: readonly string[]): Buffer {
  const sha = (...parts: readonly (Buffer | string)[]) => {
    const digest = createHash('sha256');
    for (const part of parts) digest.update(part);
    return digest.digest();
  };
  const [first] = lines;
  if (first === undefined) return sha('');
  if (lines.length === 1) return sha(Buffer.of(0), first);
  let split = 1;
  while (split * 2 < lines.length) split *= 2;
  return sha(Buffer.of(1), definedRoot(lines.slice(0, split)), definedRoot(lines.slice(split)));
}

const linesOf = (count: number) => Array.from({ length: count }, (_, at) => `line ${at}`);

/** A record to which its lines were added in batches: the tiles that are stored in the end. */
function storedTiles(lines: readonly string[], batches: readonly number[]): Tile[] {
  const stored = new Map<string, Tile>();
  let size = 0;
  const add = (count: number) => {
    const before = incompleteTiles(size).map(({ level, index }) => stored.get(`${level} ${index}`) as Tile);
    const changed = appendToTiles(size, before, lines.slice(size, size + count).map(leafHash));
    for (const tile of changed) stored.set(`${tile.level} ${tile.index}`, tile);
    size += count;
  };
  for (const count of batches) add(Math.min(count, lines.length - size));
  add(lines.length - size);
  return [...stored.values()];
}

describe('the tree', () => {
  it('has the roots of the test vectors of RFC 6962 that its reference implementations share', () => {
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const roots = [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ];
    // All are ASCII or NUL, so that the text of each has these very bytes.
    const lines = inputs.map((hex) => Buffer.from(hex, 'hex').toString('latin1'));
    const tree = new GrowingTree();
    expect(tree.root().toString('hex')).toBe(roots[0]);
    lines.forEach((line, at) => {
      tree.add(leafHash(line));
      expect(tree.root().toString('hex')).toBe(roots[at + 1]);
    });
  });

  it('is the same by the definition, while it grows, and from its tiles, in whatever batches it was stored', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.array(fc.integer({ min: 0, max: 300 })), (count, batches) => {
        const lines = linesOf(count);
        const root = definedRoot(lines);
        const growing = new GrowingTree();
        for (const line of lines) growing.add(leafHash(line));
        expect(growing.root()).toEqual(root);
        expect(rangeHasher(storedTiles(lines, batches))([0, count])).toEqual(root);
      }),
      { numRuns: 30 },
    );
  });

  it('proves each leaf, and no other line in its place', () => {
    for (const count of [1, 2, 3, 7, 8, 255, 256, 257, 600]) {
      const lines = linesOf(count);
      const root = definedRoot(lines);
      const hashOf = rangeHasher(storedTiles(lines, []));
      for (const leaf of new Set([0, Math.floor(count / 2), count - 2, count - 1].filter((at) => at >= 0))) {
        const proof = inclusionRanges(leaf, count).map(hashOf);
        expect(rootFromInclusion(leaf, count, { line: `line ${leaf}`, proof })).toEqual(root);
        expect(rootFromInclusion(leaf, count, { line: 'line x', proof })).not.toEqual(root);
        if (count > 1)
          expect(rootFromInclusion(leaf === 0 ? 1 : leaf - 1, count, { line: `line ${leaf}`, proof })).not.toEqual(
            root,
          );
        expect(rootFromInclusion(leaf, count, { line: `line ${leaf}`, proof: [...proof, root] })).toBeUndefined();
        expect(rootFromInclusion(count, count, { line: `line ${leaf}`, proof })).toBeUndefined();
      }
    }
  });

  it('proves that it began as a smaller one, to which the lines in between can be added', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 600 }), (one, other) => {
        const [older, size] = one < other ? [one, other] : [other, one];
        const lines = linesOf(size);
        const root = definedRoot(lines.slice(0, older));
        const proof = consistencyRanges(older, size).map(rangeHasher(storedTiles(lines, [])));
        const found = rootsFromConsistency({ size: older, root }, size, proof);
        expect(found?.older).toEqual(root);
        expect(found?.newer).toEqual(definedRoot(lines));
        // A power of two is proven by its root alone, which is its only subtree.
        expect(combineHashes(found?.subtrees ?? [])).toEqual(root);
        const grown = new GrowingTree(older, found?.subtrees);
        for (const line of lines.slice(older)) grown.add(leafHash(line));
        expect(grown.root()).toEqual(definedRoot(lines));
        if (proof.length > 0) expect(rootsFromConsistency({ size: older, root }, size, proof.slice(1))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('reads a logarithmic number of tiles for a proof', () => {
    const tilesFor = (size: number) =>
      tilesOfNodes(inclusionRanges(Math.floor(size / 3), size).flatMap(([start, end]) => subtreesOf(start, end)))
        .length;
    expect([1_000, 100_000, 1_000_000, 100_000_000].map(tilesFor)).toEqual([3, 4, 5, 6]);
  });
});
