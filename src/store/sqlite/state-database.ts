import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { TradeAgentError } from '../../errors/errors.ts';
import { damagedDatabaseError, sqliteErrorCode, toDatabaseError } from './database-failure.ts';
import { openEncryptedDatabase } from './encrypted-database.ts';
import { migrate, schemaVersion } from './migrate.ts';
import { stateMigrations } from './migrations/state.ts';

export type StateDatabase = Database.Database;

export const STATE_SCHEMA_VERSION = stateMigrations.length;

/**
 * Maximum size, in bytes, of a file whose pages are all verified when the file is opened. In a larger file, damage is
 * detected only when a damaged page is read.
 */
const MAX_VERIFIED_BYTES = 16 * 1024 * 1024;
const MAX_LOG_KB = 1024;

/**
 * Opens `state.db` (threads, checkpoints, latest known states of proposals), encrypted with a 32-byte key from the
 * credential store. Uses WAL with `synchronous=FULL`, so that commits survive a power failure. A file that can't be
 * read is never changed, because it may contain a proposal whose order is being executed.
 * @throws {TradeAgentError} `state_corrupt` if the file is damaged, encrypted with another key, or was written by a
 * newer version of this program
 */
export function openStateDatabase(file: string, key: Buffer): StateDatabase {
  if (key.length !== 32) throw new RangeError('the database key must be 32 bytes');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    if (fileSize(file) === undefined) createFile(file, key);
    if (fileSize(file) === 0) throw damagedDatabaseError(file);
    return openFile(file, key);
  } catch (error) {
    throw toDatabaseError(error, file);
  }
}

/** Opens an empty state database that is never written to a file, and is gone when it is closed. */
export function openMemoryStateDatabase(): StateDatabase {
  const database = new Database(':memory:');
  database.pragma('temp_store = MEMORY');
  database.pragma('foreign_keys = ON');
  migrate(database, stateMigrations, (...versions) => newerVersionError(':memory:', ...versions));
  return database;
}

/**
 * Closes the database. The next process that opens the file need not verify it, unless another process still has it
 * open or changes it later.
 */
export function closeStateDatabase(database: StateDatabase): void {
  const { memory, name } = database;
  database.close();
  if (!memory) recordCleanClose(name);
}

/**
 * Creates the file under a temporary name, and then moves it into place unless another process was faster. Therefore,
 * an empty `file` is never a new file; it has lost its content.
 */
function createFile(file: string, key: Buffer): void {
  const fresh = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    // SQLite copies the main file's mode to the -wal and -shm files, so the main file must be private from the start.
    closeSync(openSync(fresh, 'wx', 0o600));
    openFile(fresh, key).close();
    try {
      linkSync(fresh, file);
    } catch (error) {
      if (sqliteErrorCode(error) !== 'EEXIST') copyFileSync(fresh, file, constants.COPYFILE_EXCL);
    }
  } catch (error) {
    if (sqliteErrorCode(error) !== 'EEXIST') throw error;
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${fresh}${suffix}`, { force: true });
  }
}

function openFile(file: string, key: Buffer): StateDatabase {
  const size = fileSize(file) ?? 0;
  // Checked before the database is opened, because opening creates a log file.
  const mayBeDamaged = size > 0 && size <= MAX_VERIFIED_BYTES && !isUnchangedSinceClose(file);
  const database = openEncryptedDatabase(file, key, { fileMustExist: true });
  try {
    // This pragma has an effect only in an empty file. In any other file, it would write to a file that must not be
    // changed yet.
    if (size === 0) database.pragma('auto_vacuum = INCREMENTAL');
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    const version = requireKnownVersion(database, file);
    if (mayBeDamaged) verifyPages(database, file);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('secure_delete = ON');
    database.pragma('wal_autocheckpoint = 256');
    database.pragma(`journal_size_limit = ${MAX_LOG_KB * 1024}`);
    if (version < STATE_SCHEMA_VERSION)
      migrate(database, stateMigrations, (...versions) => newerVersionError(file, ...versions));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function fileSize(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}

/**
 * Reads and verifies every page. Each page has its own authentication tag, so pages that were changed or only partly
 * written are detected.
 */
function verifyPages(database: StateDatabase, file: string): void {
  if (database.pragma('quick_check(1)', { simple: true }) !== 'ok') throw damagedDatabaseError(file);
}

function requireKnownVersion(database: StateDatabase, file: string): number {
  const found = schemaVersion(database);
  if (found <= STATE_SCHEMA_VERSION) return found;
  throw newerVersionError(file, found, STATE_SCHEMA_VERSION);
}

function newerVersionError(file: string, found: number, known: number): TradeAgentError {
  return new TradeAgentError('state_corrupt', `${file} was written by a newer version of trade-agent`, {
    hint: 'Nothing was changed. Update trade-agent, or set TRADE_AGENT_HOME to another folder.',
    details: { found, known },
  });
}

/** Returns free space to the file system, unless the database has only a few free pages (at most `leave`). */
export function reclaimSpace(database: StateDatabase, { leave = 0 } = {}): void {
  try {
    if ((database.pragma('freelist_count', { simple: true }) as number) <= leave) return;
    database.pragma('incremental_vacuum');
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // Another process is using the database. The space is reused or returned later.
    if (!/^SQLITE_(BUSY|LOCKED)/.test(sqliteErrorCode(error))) throw error;
  }
}

/**
 * Returns whether a database file has no write-ahead log and is unchanged since this program closed it, judging by the
 * file's size and times. If so, the file need not be verified. Verifying even a few megabytes takes longer than the
 * rest of startup.
 */
export function isUnchangedSinceClose(file: string): boolean {
  try {
    return !existsSync(`${file}-wal`) && readFileSync(markerFile(file), 'latin1') === fileIdentity(file);
  } catch {
    return false;
  }
}

/** Records the closed file's identity. If recording fails, the file is verified when it is next opened. */
export function recordCleanClose(file: string): void {
  try {
    writeFileSync(markerFile(file), fileIdentity(file), { mode: 0o600 });
  } catch {}
}

const markerFile = (file: string) => `${file}.closed`;

/** Returns a string that changes with the file, even if a backup is restored: no program can set a file's `ctime`. */
function fileIdentity(file: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
