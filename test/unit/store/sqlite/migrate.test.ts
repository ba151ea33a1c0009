import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it } from 'vitest';
import { prepareGatewayDatabase } from '../../../../src/store/sqlite/gateway-stores.ts';
import { migrate, schemaVersion } from '../../../../src/store/sqlite/migrate.ts';

const first = "CREATE TABLE things (name TEXT NOT NULL) STRICT; INSERT INTO things VALUES ('kept')";
const second = 'ALTER TABLE things ADD COLUMN size INTEGER; CREATE INDEX things_by_size ON things (size)';
const tooNew = (found: number, known: number) => new Error(`version ${found}, known up to ${known}`);

describe('a schema on SQLite', () => {
  it('is brought to its latest version, each step once', () => {
    const database = new Database(':memory:');
    migrate(database, [first], tooNew);
    expect(schemaVersion(database)).toBe(1);
    for (const _ of ['applies the second', 'applies nothing']) migrate(database, [first, second], tooNew);
    expect(schemaVersion(database)).toBe(2);
    expect(database.prepare('SELECT * FROM things').all()).toEqual([{ name: 'kept', size: null }]);
  });

  it('is migrated as a whole, or not at all', () => {
    const database = new Database(':memory:');
    expect(() => migrate(database, [first, 'CREATE TABLE things (n INTEGER)'], tooNew)).toThrow('already exists');
    expect(schemaVersion(database)).toBe(0);
    expect(database.prepare('SELECT name FROM sqlite_master').all()).toEqual([]);
  });

  it('is left alone if a newer program made it', () => {
    const database = new Database(':memory:');
    migrate(database, [first, second], tooNew);
    const before = database.serialize();
    expect(() => migrate(database, [first], tooNew)).toThrow('version 2, known up to 1');
    expect(database.serialize().equals(before)).toBe(true);
  });
});

it('a gateway’s database keeps every commit through a power cut, and is left alone if a newer program made it', () => {
  const database = new Database(':memory:');
  prepareGatewayDatabase(database);
  expect(database.pragma('synchronous', { simple: true })).toBe(2);
  database.pragma('user_version = 99');
  expect(() => prepareGatewayDatabase(database)).toThrow(/has version 99/);
});
