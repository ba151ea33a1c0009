import type { Document } from 'yaml';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import type { UserDirs } from '../machine/directories.ts';
import { writePrivateFile } from '../machine/private-file.ts';
import { configFilePath, parseConfig, readConfigText } from './config-file.ts';
import { INVALID_FILE_HINT, invalidFileError, parseYamlDocument } from './yaml-file.ts';

/** Returns the value at a dotted key (`profiles.work.model.name`), or undefined if the key is not set. */
export async function readConfigValue(home: UserDirs, key: string): Promise<unknown> {
  const { parse } = await import('yaml');
  const text = readConfigText(home);
  await parseConfig(text, configFilePath(home));
  let value: unknown = parse(text);
  for (const name of keyParts(key)) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined;
  }
  return value;
}

/**
 * Sets a key, or removes it if `value` is undefined. Keeps comments and key order, and never writes an invalid file.
 * @param value parsed as YAML, so that `120` is a number and `[a, b]` a list
 * @throws {TradeAgentError} `invalid_config`, `usage`
 */
export async function setConfigValue(home: UserDirs, key: string, value: string | undefined): Promise<void> {
  const { parseDocument } = await import('yaml');
  const file = configFilePath(home);
  const text = readConfigText(home);
  // An invalid file must be fixed with "config edit" first, because a change here could hide the mistake.
  await parseConfig(text, file);
  const document: Document = parseDocument(text);
  const keys = keyParts(key);
  await requireParentMaps(document, keys, text, file);
  if (value === undefined) {
    if (!document.hasIn(keys)) {
      throw new TradeAgentError('not_found', `${key} is not set`, { hint: 'See "trade-agent config get".' });
    }
    document.deleteIn(keys);
  } else {
    document.setIn(keys, (await parseYamlDocument(value, 'the value')).content);
  }
  await replaceConfig(home, document.toString());
}

/**
 * Requires that everything above the key is a map, because a scalar or an alias can't contain the key.
 * @throws {TradeAgentError} `invalid_config`, with the line
 */
export async function requireParentMaps(
  document: Document,
  keys: readonly string[],
  text: string,
  file: string,
): Promise<void> {
  const { isAlias, isMap, isScalar } = await import('yaml');
  for (const length of keys.keys()) {
    const above = keys.slice(0, length);
    const node = length === 0 ? document.contents : document.getIn(above, true);
    if (node === undefined || node === null || isMap(node) || (isScalar(node) && node.value === null)) continue;
    const name = above.join('.') || 'the file';
    const what = isAlias(node) ? `is an alias of &${node.source}` : 'is a value, not a map';
    const offset = (node as { range?: readonly number[] | null }).range?.[0] ?? 0;
    throw invalidFileError(
      `${file}:${text.slice(0, offset).split('\n').length}: ${name} ${what}, so nothing can be set below it`,
      file,
      'To replace it with its values, run "trade-agent config edit".',
    );
  }
}

/** Edits `config.yaml`. Keeps comments and key order. @throws {TradeAgentError} `invalid_config` */
export async function editConfigDocument(
  home: UserDirs,
  change: (document: Document, text: string) => void | Promise<void>,
): Promise<void> {
  const { parseDocument } = await import('yaml');
  const text = readConfigText(home);
  const document: Document = parseDocument(text);
  await change(document, text);
  await replaceConfig(home, document.toString());
}

/** Replaces `config.yaml` with the text if it is valid. @throws {TradeAgentError} `invalid_config` */
export async function replaceConfig(home: UserDirs, text: string): Promise<void> {
  try {
    await parseConfig(text, configFilePath(home));
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    // The file on disk is unchanged and valid, so the hint must not ask the person to correct it.
    const { code, message, details, hint } = error;
    const unwritten = 'Nothing was written.';
    throw new TradeAgentError(code, message, {
      hint: hint === undefined || hint === INVALID_FILE_HINT ? unwritten : `${hint} ${unwritten}`,
      details,
    });
  }
  writePrivateFile(configFilePath(home), text);
}

function keyParts(key: string): string[] {
  const names = key.split('.');
  if (names.every((name) => /^[\w-]+$/.test(name))) return names;
  throw new TradeAgentError('usage', `"${key}" is not a valid key`, {
    hint: 'Separate the parts with dots, as in profiles.work.model.name.',
  });
}
