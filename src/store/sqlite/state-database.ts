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
import type Database from 'better-sqlite3-multiple-ciphers';
import { TradeAgentError } from '../../errors/errors.ts';
import { damaged, databaseFailure, errorCode } from './database-failure.ts';
import { openEncrypted } from './encrypted-database.ts';
import { migrate, versionOf } from './migrate.ts';
import { stateMigrations } from './migrations/state.ts';

export type StateDatabase = Database.Database;

/** The version this program writes. */
export const SCHEMA_VERSION = stateMigrations.length;

/**
 * Up to this size a file is read through when it is opened, unless it is as it was closed; what is damaged in a larger
 * one shows when it is used.
 */
const CHECKED_BYTES = 16 * 1024 * 1024;
/** Kilobytes of the write-ahead log kept on disk between writes. */
const LOG_LIMIT = 1024;

/**
 * Opens `state.db` (threads, checkpoints, proposals as last seen), encrypted with a 32-byte key from the credential store.
 * WAL with `synchronous=FULL`: what was committed survives a power cut. A file that can't be read is never touched:
 * it may know of a proposal whose order is under way.
 * @throws {TradeAgentError} `state_corrupt` for a damaged file, another key, or a newer version's file
 */
export function openStateDatabase(file: string, key: Buffer): StateDatabase {
  if (key.length !== 32) throw new RangeError('the database key must be 32 bytes');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    if (sizeOf(file) === undefined) create(file, key);
    if (sizeOf(file) === 0) throw damaged(file);
    return open(file, key);
  } catch (error) {
    throw databaseFailure(error, file);
  }
}

/** Where others have it open, or it changes afterwards, it is read through when it is opened again. */
export function closeStateDatabase(database: StateDatabase): void {
  database.close();
  noteClosed(database.name);
}

/**
 * Makes a new file beside its place and puts it there whole, unless another process was first. A file that is there
 * and empty has therefore lost its content, and is not taken for a new one.
 */
function create(file: string, key: Buffer): void {
  const fresh = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    // SQLite gives -wal and -shm the main file's mode, so the file must be private from its first moment.
    closeSync(openSync(fresh, 'wx', 0o600));
    open(fresh, key).close();
    try {
      linkSync(fresh, file);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') copyFileSync(fresh, file, constants.COPYFILE_EXCL);
    }
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${fresh}${suffix}`, { force: true });
  }
}

function open(file: string, key: Buffer): StateDatabase {
  const size = sizeOf(file) ?? 0;
  // Asked before it is opened, which makes a log beside it.
  const mayBeDamaged = size > 0 && size <= CHECKED_BYTES && !isAsClosed(file);
  const database = openEncrypted(file, key, { fileMustExist: true });
  try {
    // Takes effect in an empty file only, and would write to one that may not be written to.
    if (size === 0) database.pragma('auto_vacuum = INCREMENTAL');
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    const version = refuseNewer(database, file);
    if (mayBeDamaged) check(database, file);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('secure_delete = ON');
    database.pragma('wal_autocheckpoint = 256');
    database.pragma(`journal_size_limit = ${LOG_LIMIT * 1024}`);
    if (version < SCHEMA_VERSION)
      migrate(database, stateMigrations, (...versions) => newer(file, ...versions));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}

/** Reads every page: each carries a seal of its own, which a page that was changed or torn breaks. */
function check(database: StateDatabase, file: string): void {
  if (database.pragma('quick_check(1)', { simple: true }) !== 'ok') throw damaged(file);
}

function refuseNewer(database: StateDatabase, file: string): number {
  const found = versionOf(database);
  if (found <= SCHEMA_VERSION) return found;
  throw newer(file, found, SCHEMA_VERSION);
}

function newer(file: string, found: number, known: number): TradeAgentError {
  return new TradeAgentError('state_corrupt', `${file} was written by a newer version of trade-agent`, {
    hint: 'Nothing was changed. Update trade-agent, or point TRADE_AGENT_HOME at another folder.',
    details: { found, known },
  });
}

/** Gives the space of what was deleted back to the disk, where it is more than `leave` pages. */
export function giveBackSpace(database: StateDatabase, { leave = 0 } = {}): void {
  try {
    if ((database.pragma('freelist_count', { simple: true }) as number) <= leave) return;
    database.pragma('incremental_vacuum');
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // Another process is reading: the space is used again, or given back another time.
    if (!/^SQLITE_(BUSY|LOCKED)/.test(errorCode(error))) throw error;
  }
}

/**
 * Whether a database is, to its file's times, as this program closed it, and no process wrote to it and died since: it
 * need not be read through, which for a few megabytes takes longer than all else at a start.
 */
export function isAsClosed(file: string): boolean {
  try {
    return !existsSync(`${file}-wal`) && readFileSync(noteOf(file), 'latin1') === identityOf(file);
  } catch {
    return false;
  }
}

/** Notes how the file is left. Where that can't be written, it is read through the next time. */
export function noteClosed(file: string): void {
  try {
    writeFileSync(noteOf(file), identityOf(file), { mode: 0o600 });
  } catch {}
}

const noteOf = (file: string) => `${file}.closed`;

/** Changes with the file's content, also where it is put back from a copy: nobody can set a `ctime`. */
function identityOf(file: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
