import type { AuditStore } from '../store/audit.ts';
import type { AuditCheckpointStore } from '../store/checkpoint-store.ts';
import { appendToTiles, GrowingTree, incompleteTiles, leafHash, type Tile } from '../store/merkle-tree.ts';
import type { RecordVerdict } from '../trading/record-line.ts';
import type { CheckpointReader } from './checkpoints/checkpoint-reader.ts';

/** Number of lines that are read at once. */
const PAGE_LINES = 1_024;
const HASH_BYTES = 32;

interface NumberedLine {
  readonly leaf: number;
  readonly line: string;
}

export interface AuditStores {
  readonly audit: Pick<AuditStore, 'tree' | 'leaves' | 'tiles' | 'pendingCount'>;
  readonly checkpoints: Pick<AuditCheckpointStore, 'list'>;
}

/**
 * Verifies the audit log in its database, even while it grows: each line against its stored hash, the hashes against
 * their tree, and the tree against each signed checkpoint. Finds the first line that was changed, removed or added.
 */
export async function verifyAuditStores(
  { audit, checkpoints }: AuditStores,
  reader: CheckpointReader,
): Promise<RecordVerdict> {
  const { size, checkpoint } = await audit.tree();
  const days = await checkpoints.list();
  const fault = reader.open([...days.map((day) => day.checkpoint), ...(checkpoint === undefined ? [] : [checkpoint])]);
  if (fault !== undefined) return { ok: false, line: fault.size, what: fault.what };
  if (reader.summary().last?.size !== size && size > 0) return { ok: false, line: size, what: 'checkpoint' };
  const pages = async function* () {
    for (let at = 0; at < size; at += PAGE_LINES) yield await audit.leaves(at, Math.min(PAGE_LINES, size - at));
  };
  const verdict = await verifyAuditLines(pages(), { tree: new GrowingTree(), size, tiles: audit.tiles }, reader);
  if (!verdict.ok) return verdict;
  const [added] = await audit.leaves(size, 1);
  if (added !== undefined && added.leaf >= (await audit.tree()).size)
    return { ok: false, line: added.leaf + 1, what: 'added' };
  return { ...verdict, pending: await audit.pendingCount() };
}

/**
 * Verifies consecutive lines.
 * @param of.tree the tree of the preceding lines
 * @param of.size the expected number of lines in the complete tree
 * @param of.tiles the stored tiles, if there are any
 */
export async function verifyAuditLines(
  pages: AsyncIterable<readonly NumberedLine[]> | Iterable<readonly NumberedLine[]>,
  { tree, size, tiles }: { tree: GrowingTree; size: number; tiles?: AuditStore['tiles'] },
  reader: Pick<CheckpointReader, 'matches' | 'check'>,
): Promise<RecordVerdict> {
  const root = () => tree.root();
  const compareTiles = tiles && tileComparison(tiles);
  if (!reader.matches(tree.size, root)) return { ok: false, line: tree.size, what: 'checkpoint' };
  for await (const page of pages) {
    const first = tree.size;
    const gap = page.findIndex(({ leaf }, at) => leaf !== first + at);
    if (gap >= 0) return { ok: false, line: first + gap + 1, what: 'removed' };
    const hashes = page.map(({ line }) => leafHash(line));
    const fault = await compareTiles?.(first, hashes);
    if (fault !== undefined) return fault;
    const found = await addLines(page, hashes, { tree, reader });
    if (found !== undefined) return found;
  }
  if (tree.size < size) return { ok: false, line: tree.size + 1, what: 'removed' };
  return { ok: true, lines: size, pending: 0 };
}

async function addLines(
  page: readonly NumberedLine[],
  hashes: readonly Buffer[],
  { tree, reader }: { tree: GrowingTree; reader: Pick<CheckpointReader, 'matches' | 'check'> },
): Promise<RecordVerdict | undefined> {
  for (const [at, { line }] of page.entries()) {
    tree.add(hashes[at] as Buffer);
    if (!reader.matches(tree.size, () => tree.root())) return { ok: false, line: tree.size, what: 'checkpoint' };
    const what = await reader.check(line);
    if (what !== undefined) return { ok: false, line: tree.size, what };
  }
  return undefined;
}

/** Returns a function that compares the tiles computed from all lines so far with the stored tiles. */
function tileComparison(stored: AuditStore['tiles']) {
  let incomplete: readonly Tile[] = [];
  return async (first: number, hashes: readonly Buffer[]): Promise<RecordVerdict | undefined> => {
    const expected = appendToTiles(first, incomplete, hashes);
    const kept = incomplete.filter((one) => !expected.some(({ level }) => level === one.level));
    const places = incompleteTiles(first + hashes.length);
    const isPlace = (one: Tile) => places.some(({ level, index }) => one.level === level && one.index === index);
    incomplete = [...kept, ...expected].filter(isPlace);
    return differingTile(expected, await stored(expected));
  };
}

/** Returns where the stored tiles first differ from the computed tiles. Stored tiles may contain additional hashes. */
function differingTile(expected: readonly Tile[], stored: readonly Tile[]): RecordVerdict | undefined {
  for (const { level, index, hashes } of expected) {
    const found = stored.find((tile) => tile.level === level && tile.index === index)?.hashes ?? Buffer.alloc(0);
    if (found.subarray(0, hashes.length).equals(hashes)) continue;
    const same = hashes.findIndex((byte, at) => byte !== found[at]);
    const entry = index * 256 + Math.floor(same / HASH_BYTES);
    return { ok: false, line: entry * 256 ** level + 1, what: level === 0 ? 'changed' : 'tile' };
  }
  return undefined;
}
