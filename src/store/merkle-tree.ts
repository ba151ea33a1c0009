import { hash } from 'node:crypto';

/*
 * The Merkle tree of RFC 6962 §2.1, stored in tiles as in C2SP tlog-tiles: a full tile has 256 hashes, and its root is a
 * hash in the tile one level higher. Functions that need hashes of an existing tree first list the nodes, so that the
 * caller reads their tiles at once.
 */

const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
const HASH_BYTES = 32;

/** A node that covers 2^height leaves, from leaf `index * 2^height`. */
export interface TreeNode {
  readonly height: number;
  readonly index: number;
}

export interface TilePlace {
  readonly level: number;
  readonly index: number;
}

export interface Tile extends TilePlace {
  /** One to 256 hashes. */
  readonly hashes: Buffer;
}

const sha256 = (bytes: Buffer): Buffer => hash('sha256', bytes, 'buffer');

export function leafHash(line: string): Buffer {
  return sha256(Buffer.concat([Buffer.of(0), Buffer.from(line)]));
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.concat([Buffer.of(1), left, right]));
}

const EMPTY_ROOT = sha256(Buffer.alloc(0));

/** Returns the largest power of two that is less than `size`. */
function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

/** Returns the complete subtrees that cover the leaves from `start` up to but excluding `end`, from left to right. */
export function subtreesOf(start: number, end: number): TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let at = start; at < end; ) {
    let height = 0;
    while (at % 2 ** (height + 1) === 0 && at + 2 ** (height + 1) <= end) height += 1;
    nodes.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return nodes;
}

/** Combines the hashes of complete subtrees, from left to right, into the hash of the tree. */
export function combineHashes(hashes: readonly Buffer[]): Buffer {
  return hashes.length === 0 ? EMPTY_ROOT : hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** Leaves from `start` up to but excluding `end`. A proof is a list of the hashes of ranges of leaves. */
type LeafRange = readonly [start: number, end: number];

/** Returns the ranges of the inclusion proof of a leaf in a tree (RFC 6962 §2.1.1). */
export function inclusionRanges(leaf: number, size: number): LeafRange[] {
  const ranges: LeafRange[] = [];
  for (let start = 0, end = size; end - start > 1; ) {
    const middle = start + largestPowerBelow(end - start);
    ranges.push(leaf < middle ? [middle, end] : [start, middle]);
    if (leaf < middle) end = middle;
    else start = middle;
  }
  return ranges.reverse();
}

/** Returns the ranges of the proof that a tree begins with a tree of `older` leaves (RFC 6962 §2.1.2). */
export function consistencyRanges(older: number, size: number): LeafRange[] {
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end > older) {
    const middle = start + largestPowerBelow(end - start);
    ranges.push(older <= middle ? [middle, end] : [start, middle]);
    if (older <= middle) end = middle;
    else start = middle;
  }
  // The older tree's own root is not part of the proof.
  if (start > 0) ranges.push([start, end]);
  return ranges.reverse();
}

/**
 * Returns the root that an inclusion proof leads to; undefined if the proof's length is wrong.
 * @param proof the hashes of {@link inclusionRanges}
 */
export function rootFromInclusion(
  leaf: number,
  size: number,
  { line, proof }: { readonly line: string; readonly proof: readonly Buffer[] },
): Buffer | undefined {
  if (!(leaf >= 0 && leaf < size)) return undefined;
  const ranges = inclusionRanges(leaf, size);
  if (ranges.length !== proof.length) return undefined;
  return ranges.reduce((at, [start], step) => {
    const beside = proof[step] as Buffer;
    return start > leaf ? nodeHash(at, beside) : nodeHash(beside, at);
  }, leafHash(line));
}

export interface Consistency {
  readonly older: Buffer;
  readonly newer: Buffer;
  /** The hashes of the older tree's complete subtrees ({@link subtreesOf}), to which further leaves can be added. */
  readonly subtrees: readonly Buffer[];
}

/**
 * Returns the roots that a consistency proof leads to; undefined if the proof's length is wrong.
 * @param older the older tree, which is not empty
 * @param proof the hashes of {@link consistencyRanges}
 */
export function rootsFromConsistency(
  older: { readonly size: number; readonly root: Buffer },
  size: number,
  proof: readonly Buffer[],
): Consistency | undefined {
  const rest = [...proof];
  if (older.size < 1 || older.size > size || rest.length !== consistencyRanges(older.size, size).length)
    return undefined;
  const take = () => rest.shift() as Buffer;
  const walk = (left: number, of: number, isWhole: boolean): Consistency => {
    if (left === of) {
      const at = isWhole ? older.root : take();
      return { older: at, newer: at, subtrees: [at] };
    }
    const middle = largestPowerBelow(of);
    if (left <= middle) {
      const at = walk(left, middle, isWhole);
      return { ...at, newer: nodeHash(at.newer, take()) };
    }
    const at = walk(left - middle, of - middle, false);
    const before = take();
    return {
      older: nodeHash(before, at.older),
      newer: nodeHash(before, at.newer),
      subtrees: [before, ...at.subtrees],
    };
  };
  return walk(older.size, size, true);
}

/** A tree to which leaves are added, in memory that grows with the logarithm of its size. */
export class GrowingTree {
  readonly #subtrees: { readonly height: number; readonly hash: Buffer }[];
  #size: number;

  /** @param subtrees the hashes of the complete subtrees of a tree with `size` leaves */
  constructor(size = 0, subtrees: readonly Buffer[] = []) {
    this.#size = size;
    this.#subtrees = subtreesOf(0, size).map(({ height }, at) => ({ height, hash: subtrees[at] as Buffer }));
  }

  get size(): number {
    return this.#size;
  }

  root(): Buffer {
    return combineHashes(this.#subtrees.map((one) => one.hash));
  }

  add(leaf: Buffer): void {
    let added = { height: 0, hash: leaf };
    for (let last = this.#subtrees.at(-1); last?.height === added.height; last = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      added = { height: added.height + 1, hash: nodeHash(last.hash, added.hash) };
    }
    this.#subtrees.push(added);
    this.#size += 1;
  }
}

const placeKey = ({ level, index }: TilePlace) => `${level} ${index}`;

/** Returns the tile that contains a node's hash or the hashes that it is computed from. */
function tileOfNode({ height, index }: TreeNode): TilePlace {
  const level = Math.floor(height / TILE_HEIGHT);
  return { level, index: Math.floor((index * 2 ** (height % TILE_HEIGHT)) / TILE_WIDTH) };
}

/** Returns the tiles that the nodes' hashes are computed from, without duplicates. */
export function tilesOfNodes(nodes: readonly TreeNode[]): TilePlace[] {
  return [...new Map(nodes.map(tileOfNode).map((place) => [placeKey(place), place])).values()];
}

/**
 * Returns a function that computes the hashes of ranges of leaves. Each tile is hashed once.
 * @param tiles the tiles that {@link tilesOfNodes} lists for the ranges' subtrees
 * @throws {Error} if a tile is missing or too short
 */
export function rangeHasher(tiles: readonly Tile[]): (range: LeafRange) => Buffer {
  const byPlace = new Map(tiles.map((tile) => [placeKey(tile), tile.hashes]));
  const known = new Map<string, Buffer>();
  const hashWithin = (tile: Buffer, key: string, height: number, at: number): Buffer => {
    if (height === 0) return tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
    const id = `${key} ${height} ${at}`;
    const found =
      known.get(id) ??
      nodeHash(hashWithin(tile, key, height - 1, 2 * at), hashWithin(tile, key, height - 1, 2 * at + 1));
    known.set(id, found);
    return found;
  };
  const hashOf = (node: TreeNode): Buffer => {
    const place = tileOfNode(node);
    const height = node.height % TILE_HEIGHT;
    const at = node.index - (place.index * TILE_WIDTH) / 2 ** height;
    const tile = byPlace.get(placeKey(place));
    if (tile === undefined || tile.length < (at + 1) * 2 ** height * HASH_BYTES)
      throw new Error(`a tile of the record is missing: level ${place.level}, tile ${place.index}`);
    return hashWithin(tile, placeKey(place), height, at);
  };
  return ([start, end]) => combineHashes(subtreesOf(start, end).map(hashOf));
}

/** Returns the incomplete tiles of a tree, to which {@link appendToTiles} adds. */
export function incompleteTiles(size: number): TilePlace[] {
  const places: TilePlace[] = [];
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / TILE_WIDTH))
    if (count % TILE_WIDTH > 0) places.push({ level, index: Math.floor(count / TILE_WIDTH) });
  return places;
}

/**
 * Returns the tiles that are new or have changed when leaves are added to a tree.
 * @param tiles the tiles that {@link incompleteTiles} lists
 */
export function appendToTiles(size: number, tiles: readonly Tile[], leaves: readonly Buffer[]): Tile[] {
  const byPlace = new Map(tiles.map((tile) => [placeKey(tile), tile.hashes]));
  const changed: Tile[] = [];
  let added = leaves;
  for (let level = 0, count = size; added.length > 0; level += 1, count = Math.floor(count / TILE_WIDTH)) {
    let index = Math.floor(count / TILE_WIDTH);
    const before = byPlace.get(placeKey({ level, index })) ?? Buffer.alloc(0);
    if (before.length !== (count % TILE_WIDTH) * HASH_BYTES)
      throw new Error(`a tile of the record has a wrong length: level ${level}, tile ${index}`);
    let hashes = [before, ...added];
    let room = TILE_WIDTH - (count % TILE_WIDTH);
    const roots: Buffer[] = [];
    while (hashes.length > 1) {
      const tile = { level, index, hashes: Buffer.concat(hashes.slice(0, 1 + room)) };
      changed.push(tile);
      if (tile.hashes.length === TILE_WIDTH * HASH_BYTES) roots.push(tileRoot(tile.hashes));
      hashes = [Buffer.alloc(0), ...hashes.slice(1 + room)];
      room = TILE_WIDTH;
      index += 1;
    }
    added = roots;
  }
  return changed;
}

function tileRoot(hashes: Buffer): Buffer {
  const half = TILE_WIDTH / 2;
  const hashOf = rangeHasher([{ level: 0, index: 0, hashes }]);
  return nodeHash(hashOf([0, half]), hashOf([half, TILE_WIDTH]));
}
