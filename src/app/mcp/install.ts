import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { applyEdits, modify, type ParseError, parse as parseJson, printParseErrorCode } from 'jsonc-parser';
import { parse as parseToml, stringify, TomlError } from 'smol-toml';
import { credentialStoreKind, findProfile, resolveProfileName } from '../../config/resolve-profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { writeFileAtomically } from '../../machine/private-file.ts';
import { pickLaunchEnvironment } from '../../machine/start-environment.ts';
import type { App } from '../app.ts';
import { launcherPath } from '../launcher.ts';
import { version } from '../version.ts';
import {
  type Machine,
  type McpClientName,
  type McpClientSpec,
  mcpClients,
  type ServerEntry,
  type ServerProgram,
} from './client-table.ts';

export interface InstallOptions {
  readonly client: McpClientName;
  readonly name: string;
  /** Whether to configure the gateway's URL rather than a local program. */
  readonly remote: boolean;
  readonly readOnly: boolean;
  readonly print: boolean;
}

export interface Installation {
  readonly client: McpClientName;
  readonly title: string;
  readonly file: string;
  readonly section: string;
  readonly name: string;
  readonly transport: 'stdio' | 'http';
  readonly entry: string;
  /** The previous entry's text, or null if there was none. */
  readonly replaces: string | null;
  readonly state: 'written' | 'unchanged' | 'shown';
  readonly next: readonly string[];
}

/**
 * Adds trade-agent, or the profile's gateway, to the settings of an MCP client. Writes one entry and leaves the rest
 * unchanged.
 * @param agree asks the person before anything is written; if the result is false, nothing is written
 * @throws {TradeAgentError} `usage` for options that the client doesn't support; `invalid_config` for unreadable
 *   settings; `interrupted` if the person does not agree
 */
export async function installMcp(
  app: Pick<App, 'env' | 'config' | 'profileName' | 'profile'>,
  options: InstallOptions,
  agree: (found: Installation) => Promise<boolean>,
  machine: Machine = { platform: process.platform, userHome: homedir(), env: app.env },
): Promise<Installation> {
  const client: McpClientSpec = mcpClients[options.client];
  const transport = options.remote ? 'http' : 'stdio';
  const entry = options.remote
    ? await remoteEntry(app, client, options)
    : client.stdio(await ownProgram(app, options, machine));
  const file = resolveLink(client.file(machine));
  const edit = () => editServerEntry(file, readSettings(file), client, options.name, entry);
  const edited = edit();
  const found: Installation = {
    client: options.client,
    title: client.title,
    file,
    section: client.section,
    name: options.name,
    transport,
    entry: edited.entry,
    replaces: edited.before ?? null,
    state: edited.before === edited.entry ? 'unchanged' : 'shown',
    next: [...notInstalledStep(file, client), ...client.next[options.remote ? 'remote' : 'stdio'](options.name)],
  };
  if (options.print || found.state === 'unchanged') return found;
  if (!(await agree(found))) throw new TradeAgentError('interrupted', 'nothing was written');
  // Reads the file again, because the client may have changed it in the meantime.
  writeSettings(file, edit());
  return { ...found, state: 'written' };
}

async function remoteEntry(
  app: Pick<App, 'profile'>,
  client: McpClientSpec,
  options: InstallOptions,
): Promise<ServerEntry> {
  if (options.readOnly) {
    throw new TradeAgentError('usage', '--read-only works only without --remote', {
      hint: 'With --remote, you choose what the client may do when it signs in.',
    });
  }
  if (client.remote === undefined) {
    throw new TradeAgentError('usage', `${client.title} does not support URLs in its settings file`, {
      hint: "Open the client's settings, and under Connectors, add the gateway's URL followed by /mcp. This must be a public https URL, because the vendor's servers call it. To use a local program instead, omit --remote.",
    });
  }
  const { gateway } = await app.profile();
  return client.remote(`${gateway.replace(/\/$/, '')}/mcp`);
}

/** Returns a command that starts trade-agent from an MCP client, in any folder and with any environment. */
async function ownProgram(
  app: Pick<App, 'env' | 'config' | 'profileName'>,
  { readOnly }: InstallOptions,
  { platform }: Machine,
): Promise<ServerProgram> {
  const config = await app.config();
  const profile = findProfile(config, resolveProfileName(config, app.profileName));
  const script = launcherPath();
  const args = ['mcp', '--profile', profile.name, ...(readOnly ? ['--read-only'] : [])];
  const env = pickLaunchEnvironment(app.env, credentialStoreKind(profile) === 'keychain');
  // npx may delete a script from its cache at any time, so the entry starts npx instead.
  if (!/[\\/]_npx[\\/]/.test(script)) return { command: process.execPath, args: [script, ...args], env };
  const npx = ['npx', '--yes', `trade-agent@${version()}`, ...args];
  // On Windows, only an .exe can be started without a shell.
  const [command = '', ...rest] = platform === 'win32' ? ['cmd', '/c', ...npx] : npx;
  return { command, args: rest, env };
}

/** Resolves a symlink, so that a write replaces the symlink's target instead of the symlink. */
function resolveLink(file: string): string {
  return existsSync(file) ? realpathSync(file) : file;
}

function notInstalledStep(file: string, { title }: McpClientSpec): string[] {
  return existsSync(dirname(file)) ? [] : [`${title} doesn't seem to be installed on this machine.`];
}

/** Maximum size of a settings file. It is high because Claude Code's file can be large. */
const MAX_SETTINGS_BYTES = 64 * 2 ** 20;

function readSettings(file: string): string {
  const unreadable = (why: string, cause?: unknown) =>
    new TradeAgentError('invalid_config', `${file} can't be read: ${why}`, {
      cause,
      hint: 'Nothing was changed.',
    });
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw unreadable('it is not a regular file');
    if (stat.size > MAX_SETTINGS_BYTES) throw unreadable('it is too large');
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    if (error instanceof TradeAgentError) throw error;
    throw unreadable(error instanceof TypeError ? 'it is not UTF-8' : String(code), error);
  }
}

function writeSettings(file: string, { text }: EditedSettings): void {
  try {
    writeFileAtomically(file, text, existsSync(file) ? statSync(file).mode & 0o777 : 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TradeAgentError('invalid_config', `${file} can't be written (${code})`, {
      cause: error,
      hint: 'Nothing was changed. Check the permissions, or use --print and add the entry by hand.',
    });
  }
}

interface EditedSettings {
  readonly text: string;
  readonly entry: string;
  /** The previous entry's text. Undefined if there was none; equal to `entry` if nothing changes. */
  readonly before: string | undefined;
}

/** Keys that define how to reach a server. The new entry's values always replace them. */
const reachabilityKeys = ['type', 'command', 'args', 'env', 'environment', 'cwd', 'url', 'httpUrl', 'headers'];

/**
 * Sets one server's entry, and verifies that no other entry changes. Keeps keys that the person added, such as a
 * timeout or allowed tools.
 * @param text contents of the file, empty if there is none
 * @throws {TradeAgentError} `invalid_config` for a file that can't be parsed, or can't be changed without side effects
 */
export function editServerEntry(
  file: string,
  text: string,
  client: McpClientSpec,
  name: string,
  wanted: ServerEntry,
): EditedSettings {
  const format = client.format === 'toml' ? tomlFormat : jsonFormat(client.comments ?? false);
  const before = parseSettings(format, file, text);
  const section = before[client.section] ?? {};
  if (!isRecord(section)) throw unusableSettings(file, `"${client.section}" is not a table of servers`);
  const there = Object.hasOwn(section, name) ? section[name] : undefined;
  if (there !== undefined && !isRecord(there)) throw unusableSettings(file, `"${name}" is not a server entry`);
  const kept = Object.entries(there ?? {}).filter(([key]) => !reachabilityKeys.includes(key));
  const entry = { ...wanted, ...Object.fromEntries(kept) };
  const path = [client.section, name] as const;
  const shown = format.show(path, entry);
  if (there !== undefined && isDeepStrictEqual(there, entry)) return { text, entry: shown, before: shown };
  const edited = format.set(text, path, entry);
  const after = { ...before, [client.section]: { ...section, [name]: entry } };
  if (edited === undefined || !parsesTo(format, edited, after)) {
    throw unusableSettings(file, `"${name}" can't be changed without changing other entries`);
  }
  return { text: edited, entry: shown, before: there === undefined ? undefined : format.show(path, there) };
}

function parsesTo(format: Format, text: string, wanted: Record<string, unknown>): boolean {
  try {
    return isDeepStrictEqual(toPlainValue(format.parse(text)), toPlainValue(wanted));
  } catch (error) {
    if (error instanceof TextError) return false;
    throw error;
  }
}

function parseSettings(format: Format, file: string, text: string): Record<string, unknown> {
  try {
    return format.parse(text);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    throw new TradeAgentError('invalid_config', `${file}:${error.line}:${error.column}: ${error.message}`, {
      cause: error,
      hint: 'Nothing was changed. Fix that line, or move the file away.',
    });
  }
}

function unusableSettings(file: string, why: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file}: ${why}`, {
    hint: 'Nothing was changed. Remove the entry by hand, or choose another --name.',
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Copies a parsed value without the parsers' prototypes, which would break the comparison. */
function toPlainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlainValue);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toPlainValue(member)]));
}

/** Functions that parse and edit the settings files of one format. */
interface Format {
  /** Parses a settings file. @throws {TextError} */
  parse(text: string): Record<string, unknown>;
  /** Sets a server's entry. @returns the edited text, or undefined if other entries would change too */
  set(text: string, path: readonly [section: string, name: string], entry: ServerEntry): string | undefined;
  show(path: readonly [section: string, name: string], entry: ServerEntry): string;
}

class TextError extends Error {
  readonly line: number;
  readonly column: number;
  constructor(what: string, line: number, column: number) {
    super(what);
    this.line = line;
    this.column = column;
  }
}

/** Returns the format of JSON settings. Preserves indentation. @param comments whether comments are allowed */
function jsonFormat(comments: boolean): Format {
  return {
    parse(text) {
      if (text.trim() === '') return {};
      const errors: ParseError[] = [];
      const value: unknown = parseJson(withoutMark(text), errors, {
        allowTrailingComma: comments,
        disallowComments: !comments,
      });
      const [first] = errors;
      if (first !== undefined) {
        const said = printParseErrorCode(first.error)
          .replace(/([a-z])([A-Z])/g, '$1 $2')
          .toLowerCase();
        throw new TextError(`not JSON: ${said}`, ...lineAndColumn(withoutMark(text), first.offset));
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new TextError('not an object', 1, 1);
      }
      return value as Record<string, unknown>;
    },
    set(text, path, entry) {
      const bare = withoutMark(text);
      const formattingOptions = {
        insertSpaces: !/^\t/m.test(bare),
        tabSize: /^( +)\S/m.exec(bare)?.[1]?.length ?? 2,
        eol: bare.includes('\r\n') ? '\r\n' : '\n',
      };
      // Inserts the entry first in its section, which leaves the other lines and their comments untouched.
      const options = { formattingOptions, getInsertionIndex: () => 0 };
      const edited = applyEdits(bare, modify(bare, [...path], entry, options));
      const mark = text.slice(0, text.length - bare.length);
      return `${mark}${edited}${bare.trim() === '' ? '\n' : ''}`;
    },
    show: ([, name], entry) => `${JSON.stringify(name)}: ${JSON.stringify(entry, undefined, 2)}`,
  };
}

/** Strips the byte order mark that some Windows editors write. */
const withoutMark = (text: string) => text.replace(/^\ufeff/, '');

function lineAndColumn(text: string, offset: number): [line: number, column: number] {
  const before = text.slice(0, offset).split('\n');
  return [before.length, (before.at(-1)?.length ?? 0) + 1];
}

/**
 * The format for TOML settings. A server's tables are replaced or appended as whole lines, which preserves the comments
 * of other tables. Servers in another notation (inline tables, dotted keys) stay unchanged.
 */
const tomlFormat: Format = {
  parse(text) {
    try {
      return parseToml(text);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const [what = ''] = error.message.split('\n');
      throw new TextError(`not TOML: ${what.replace(/^Invalid TOML document: /, '')}`, error.line, error.column);
    }
  },
  set(text, path, entry) {
    const eol = text.includes('\r\n') ? '\r\n' : '\n';
    const lines = text.split(/\r?\n/);
    const added = this.show(path, entry).split('\n');
    if (!hasServer(parseToml(text), path)) {
      while (lines.at(-1)?.trim() === '') lines.pop();
      return [...lines, ...(lines.length === 0 ? [] : ['']), ...added, ''].join(eol);
    }
    const headers = lines.flatMap((line, at) => {
      const keys = tableHeaderKeys(line);
      return keys === undefined ? [] : [{ at, isOurs: path.every((key, depth) => keys[depth] === key) }];
    });
    const first = headers.findIndex(({ isOurs }) => isOurs);
    if (first === -1) return undefined;
    const after = headers.findIndex(({ isOurs }, index) => index > first && !isOurs);
    const start = headers[first]?.at ?? 0;
    let end = after === -1 ? lines.length : (headers[after]?.at ?? lines.length);
    // Comments directly above the next table belong to that table.
    while (/^\s*(#.*)?$/.test(lines[end - 1] ?? 'x')) end -= 1;
    return [...lines.slice(0, start), ...added, ...lines.slice(end)].join(eol);
  },
  show: ([section, name], entry) => stringify({ [section]: { [name]: entry } }).trimEnd(),
};

function hasServer(table: Record<string, unknown>, [section, name]: readonly [string, string]): boolean {
  const servers = table[section];
  return typeof servers === 'object' && servers !== null && Object.hasOwn(servers, name);
}

/** Returns the keys of a table header, or undefined for any other line. */
function tableHeaderKeys(line: string): string[] | undefined {
  if (!/^\s*\[/.test(line)) return undefined;
  let table: unknown;
  try {
    table = parseToml(line);
  } catch {
    return undefined;
  }
  const keys: string[] = [];
  for (;;) {
    if (Array.isArray(table)) table = table[0];
    const [key, ...more] = typeof table === 'object' && table !== null ? Object.keys(table) : [];
    if (key === undefined || more.length > 0) return keys;
    keys.push(key);
    table = (table as Record<string, unknown>)[key];
  }
}
