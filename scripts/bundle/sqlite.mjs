// Loads SQLite's JavaScript from the bundle, because the package's own entry is a dozen small files, and its binary from
// the installed package. If another version is installed, its own JavaScript is used with its binary.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import createDatabase from '../../node_modules/better-sqlite3-multiple-ciphers/lib/database.js';
import SqliteError from '../../node_modules/better-sqlite3-multiple-ciphers/lib/sqlite-error.js';
import { version } from '../../node_modules/better-sqlite3-multiple-ciphers/package.json';

const NAME = 'better-sqlite3-multiple-ciphers';

/** Finds the package like Node does, but only checks files, because `require.resolve` takes a hundred times as long. */
function database() {
  const manifest = require.resolve
    .paths(NAME)
    .map((folder) => join(folder, NAME, 'package.json'))
    .find((file) => existsSync(file));
  if (manifest === undefined) return require('better-sqlite3-multiple-ciphers');
  const binary = join(dirname(manifest), 'prebuilds', `${platform()}-${process.arch}.node`);
  const installed = JSON.parse(readFileSync(manifest, 'utf8')).version;
  if (installed !== version || !existsSync(binary)) return require('better-sqlite3-multiple-ciphers');
  return Object.assign(
    createDatabase(() => require(binary), false),
    { SqliteError },
  );
}

/** Without musl's loader, the system uses glibc. With it, it may use either. */
const MUSL = `/lib/ld-musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`;

/** Returns the platform as the package names its binaries. */
function platform() {
  if (process.platform !== 'linux' || !existsSync(MUSL)) return process.platform;
  // Otherwise the report would look up the names of all network peers.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime ? 'linux' : 'linuxmusl';
}

export default database();
