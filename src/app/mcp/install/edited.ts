import { isDeepStrictEqual } from 'node:util';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { Entry, McpClientFacts } from './client-table.ts';
import { type Format, TextError } from './format.ts';
import { jsonFormat } from './json-format.ts';
import { tomlFormat } from './toml-format.ts';

/** A file of settings with the entry of one server in it. */
export interface Edited {
  readonly text: string;
  /** As it is shown. */
  readonly entry: string;
  /** What it takes the place of; undefined where there is no server of that name, `entry` where nothing changes. */
  readonly before: string | undefined;
}

/** What says how a server is reached: an entry that changes takes none of these over. */
const reached = ['type', 'command', 'args', 'env', 'environment', 'cwd', 'url', 'httpUrl', 'headers'];

/**
 * Sets one server, and changes nothing else: that is looked at here, whatever the format's editor did. What the person
 * added to the entry (a time-out, which tools) stays.
 * @param text of the file; empty where there is none
 * @throws {TradeAgentError} `invalid_config` for a file that its own program could not read, or that can't be changed so
 */
export function editServer(
  file: string,
  text: string,
  client: McpClientFacts,
  name: string,
  wanted: Entry,
): Edited {
  const format = client.format === 'toml' ? tomlFormat : jsonFormat(client.comments ?? false);
  const before = parse(format, file, text);
  const section = before[client.section] ?? {};
  if (!isRecord(section)) throw unusable(file, `"${client.section}" in it is not a table of servers`);
  const there = Object.hasOwn(section, name) ? section[name] : undefined;
  if (there !== undefined && !isRecord(there)) throw unusable(file, `"${name}" in it is not a server`);
  const kept = Object.entries(there ?? {}).filter(([key]) => !reached.includes(key));
  const entry = { ...wanted, ...Object.fromEntries(kept) };
  const path = [client.section, name] as const;
  const shown = format.show(path, entry);
  if (there !== undefined && isDeepStrictEqual(there, entry)) return { text, entry: shown, before: shown };
  const edited = format.set(text, path, entry);
  const after = { ...before, [client.section]: { ...section, [name]: entry } };
  if (edited === undefined || !says(format, edited, after)) {
    throw unusable(file, `"${name}" stands there in a way that can't be changed without what is beside it`);
  }
  return {
    text: edited,
    entry: shown,
    before: there === undefined ? undefined : format.show(path, there),
  };
}

/** Whether a text says this and nothing else. */
function says(format: Format, text: string, wanted: Record<string, unknown>): boolean {
  try {
    return isDeepStrictEqual(plain(format.parse(text)), plain(wanted));
  } catch (error) {
    if (error instanceof TextError) return false;
    throw error;
  }
}

function parse(format: Format, file: string, text: string): Record<string, unknown> {
  try {
    return format.parse(text);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    throw new TradeAgentError('invalid_config', `${file}:${error.line}:${error.column}: ${error.message}`, {
      cause: error,
      hint: 'Nothing was changed. Mend that place, or move the file away.',
    });
  }
}

function unusable(file: string, why: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file}: ${why}`, {
    hint: 'Nothing was changed. Take it out by hand, or choose another --name.',
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Without the prototypes that parsers give their objects. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
