import { failpoint } from '../../machine/failpoint.ts';
import {
  type AuditLine,
  type AuditNote,
  type AuditStore,
  MAX_SEQUENCED,
  type SequencedTree,
  toLineValues,
} from '../audit.ts';
import type { AuditCheckpointStore, DayCheckpoint } from '../checkpoint-store.ts';
import { appendToTiles, incompleteTiles, leafHash, rangeHasher, type Tile, type TilePlace } from '../merkle-tree.ts';
import {
  all,
  type Dialect,
  lock,
  MAX_COUNTED,
  one,
  run,
  type SqlTransactions,
  type TransactionWork,
} from './sql-database.ts';

/** Adds a line to the audit log, in the transaction that makes the recorded change. */
export function* addLine(note: AuditNote, now: number): TransactionWork<void> {
  yield* run(INSERT_LINE, toLineValues(note, now));
}

const INSERT_LINE = 'INSERT INTO record_lines (sub, about, line) VALUES (@lineSub, @lineAbout, @line)';

/** Adds at most one line per key, so that processes that repeat the work for an event add only one line. */
function* addLineOnce(key: string, note: AuditNote, now: number): TransactionWork<void> {
  // The prefix keeps a key that a stranger chose from matching a proposal's ID.
  const lineAbout = `once ${key}`;
  yield* lock('record line', key);
  if (yield* one('SELECT 1 FROM record_lines WHERE about = @lineAbout', { lineAbout })) return;
  yield* run(INSERT_LINE, { ...toLineValues(note, now), lineAbout });
}

interface LineRow {
  readonly id: number;
  readonly leaf: number | null;
  readonly line: string;
}

interface TreeRow {
  readonly size: number;
  readonly checkpoint: string | null;
  readonly closed_day: string | null;
}

const SELECT_TREE = 'SELECT size, checkpoint, closed_day FROM record_tree';

const toLine = ({ leaf, line }: LineRow): AuditLine => ({ leaf: leaf ?? undefined, line });
const toTree = ({ size, checkpoint }: TreeRow): SequencedTree => ({ size, checkpoint: checkpoint ?? undefined });

/** The row that exists before the first line is sequenced. */
const NO_TREE: TreeRow = { size: 0, checkpoint: null, closed_day: null };

export function createAuditStore(database: SqlTransactions): AuditStore {
  const { dialect } = database;
  return {
    note: (note, now) => database.write(() => addLine(note, now)),
    noteOnce: (key, note, now) => database.write(() => addLineOnce(key, note, now)),
    sequence: (signer, wait) =>
      database.write(function* () {
        const row = yield* lockTree(dialect, wait);
        if (row === undefined) return undefined;
        const pending = yield* all<LineRow>(
          `SELECT id, line FROM record_lines WHERE leaf IS NULL ORDER BY id LIMIT ${MAX_SEQUENCED}`,
        );
        const { size, checkpoint } = row;
        const isSigned = checkpoint !== null && signer.hasSigned(checkpoint);
        if (pending.length === 0 && (isSigned || size === 0)) return { ...toTree(row), hasMore: false };
        const before = yield* readTiles(dialect, incompleteTiles(size));
        const changed = appendToTiles(
          size,
          before,
          pending.map(({ line }) => leafHash(line)),
        );
        yield* writeTiles(dialect, changed);
        yield* run(
          `UPDATE record_lines SET leaf = CAST(value->>'leaf' AS bigint) FROM ${dialect.each('@rows')}
           WHERE record_lines.id = CAST(value->>'id' AS bigint)`,
          { rows: JSON.stringify(pending.map(({ id }, at) => ({ id, leaf: size + at }))) },
        );
        const grown = size + pending.length;
        const root = rangeHasher([...before, ...changed])([0, grown]);
        const signed = signer.sign({ size: grown, root });
        yield* run('UPDATE record_tree SET size = @grown, checkpoint = @signed', { grown, signed });
        // Reached once per line, so that a test can stop at a certain line, even if many lines are sequenced together.
        for (const _ of pending) failpoint('record.sequenced');
        return { size: grown, checkpoint: signed, hasMore: pending.length === MAX_SEQUENCED };
      }),
    async tree() {
      return toTree((await database.one<TreeRow>(SELECT_TREE)) ?? NO_TREE);
    },
    async pendingCount() {
      const row = await database.one<{ count: number }>(
        `SELECT count(*) AS count FROM (SELECT 1 FROM record_lines WHERE leaf IS NULL LIMIT ${MAX_COUNTED}) AS counted`,
      );
      return row?.count ?? 0;
    },
    async listByPerson(sub, limit) {
      const rows = await database.all<LineRow>(
        'SELECT id, leaf, line FROM record_lines WHERE sub = @sub ORDER BY id DESC LIMIT CAST(@limit AS bigint)',
        { sub, limit },
      );
      return rows.map(toLine);
    },
    async about(ids) {
      const rows = await database.read(function* () {
        const found: LineRow[] = [];
        // Runs one statement per ID, because PostgreSQL would read all lines to join them with a list of any length.
        for (const about of new Set(ids))
          found.push(
            ...(yield* all<LineRow>('SELECT id, leaf, line FROM record_lines WHERE about = @about', { about })),
          );
        return found;
      });
      const placeOf = ({ leaf }: LineRow) => leaf ?? Number.MAX_SAFE_INTEGER;
      return rows.sort((a, b) => placeOf(a) - placeOf(b) || a.id - b.id).map(toLine);
    },
    leaves: (from, limit) =>
      database.all(
        'SELECT leaf, line FROM record_lines WHERE leaf >= @from ORDER BY leaf LIMIT CAST(@limit AS bigint)',
        {
          from,
          limit,
        },
      ),
    tiles: (places) => database.read(() => readTiles(dialect, places)),
  };
}

/**
 * Locks the tree until the end of the transaction.
 * @param wait if another process has locked the tree: true to wait, false to return undefined
 */
function* lockTree(dialect: Dialect, wait: boolean): TransactionWork<TreeRow | undefined> {
  const locked = yield* one<TreeRow>(`${SELECT_TREE}${wait ? dialect.forUpdate : dialect.skipLocked}`);
  if (locked !== undefined) return locked;
  if ((yield* one(SELECT_TREE)) !== undefined) return undefined;
  yield* run(
    'INSERT INTO record_tree (size) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM record_tree) ON CONFLICT DO NOTHING',
  );
  return yield* one<TreeRow>(`${SELECT_TREE}${dialect.forUpdate}`);
}

function* readTiles(dialect: Dialect, places: readonly TilePlace[]): TransactionWork<Tile[]> {
  if (places.length === 0) return [];
  // Uses a subquery, because PostgreSQL would read all tiles to join them with a list of unknown length.
  const rows = yield* all<{ at: number; hashes: Buffer | null }>(
    `SELECT CAST(value->>'at' AS integer) AS at, (SELECT hashes FROM record_tiles
       WHERE level = CAST(value->>'level' AS integer) AND tile = CAST(value->>'index' AS bigint)) AS hashes
     FROM ${dialect.each('@places')}`,
    { places: JSON.stringify(places.map((place, at) => ({ ...place, at }))) },
  );
  return rows.flatMap(({ at, hashes }) => (hashes === null ? [] : [{ ...(places[at] as TilePlace), hashes }]));
}

function* writeTiles({ tenant }: Dialect, tiles: readonly Tile[]): TransactionWork<void> {
  for (const { level, index, hashes } of tiles)
    yield* run(
      `INSERT INTO record_tiles (level, tile, hashes) VALUES (@level, @index, @hashes)
       ON CONFLICT (${tenant}level, tile) DO UPDATE SET hashes = excluded.hashes`,
      { level, index, hashes },
    );
}

interface CheckpointRow {
  readonly day: string;
  readonly size: number;
  readonly checkpoint: string;
  readonly anchored: number;
}

const SELECT_CHECKPOINTS = 'SELECT day, size, checkpoint, anchored FROM record_checkpoints ORDER BY size';

/**
 * Creates the store of the days' checkpoints. A tenant's gateways share the checkpoints: if two gateways try to close
 * the same day, the second gateway finds the day already closed.
 */
export function createCheckpointStore(database: SqlTransactions): AuditCheckpointStore {
  const { dialect } = database;
  const last = () => one<CheckpointRow>(`${SELECT_CHECKPOINTS} DESC LIMIT 1`);
  return {
    async last() {
      const row = await database.read(last);
      return row && toCheckpoint(row);
    },
    list: async () => (await database.all<CheckpointRow>(SELECT_CHECKPOINTS)).map(toCheckpoint),
    close: ({ day, today }, signer) =>
      database.write(function* () {
        const { size, closed_day: closed } = (yield* lockTree(dialect, true)) ?? NO_TREE;
        if (closed !== null && !isDue(closed, { day, today })) return false;
        yield* run('UPDATE record_tree SET closed_day = @day', { day });
        if (closed === null || size === ((yield* last())?.size ?? 0)) return false;
        const tiles = yield* readTiles(dialect, incompleteTiles(size));
        const checkpoint = signer.sign({ size, root: rangeHasher(tiles)([0, size]) });
        yield* run(
          'INSERT INTO record_checkpoints (size, day, checkpoint, anchored) VALUES (@size, @day, @checkpoint, 0)',
          { size, day, checkpoint },
        );
        return true;
      }),
    anchor: (size, note, now) =>
      database.write(function* () {
        const changed = yield* run(
          `UPDATE record_checkpoints SET anchored = 1
           WHERE size = @size AND anchored = 0 AND size = (SELECT max(size) FROM record_checkpoints)`,
          { size },
        );
        if (changed === 1) yield* addLine(note, now);
        return changed === 1;
      }),
  };
}

function toCheckpoint({ anchored, ...row }: CheckpointRow): DayCheckpoint {
  return { ...row, anchored: anchored === 1 };
}

/**
 * Returns whether to close a day. If the gateways' clocks differ by less than a day, each day is closed once. A
 * checkpoint dated years ahead by a wrong clock does not prevent later days from being closed.
 */
function isDue(last: string, { day, today }: { readonly day: string; readonly today: string }): boolean {
  return last < day || last > today;
}
