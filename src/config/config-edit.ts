import type { Document } from 'yaml';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import type { Home } from '../machine/directories.ts';
import { writePrivateFile } from '../machine/private-file.ts';
import { checkConfig, configFile, configText } from './config-file.ts';
import { invalidFile, readYaml, WRONG_FILE_HINT } from './yaml-file.ts';

/** The value at a dotted key (`profiles.work.model.name`); undefined where it is not set. */
export async function configValue(home: Home, key: string): Promise<unknown> {
  const { parse } = await import('yaml');
  const text = configText(home);
  await checkConfig(text, configFile(home));
  let value: unknown = parse(text);
  for (const name of path(key)) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined;
  }
  return value;
}

/**
 * Sets a key, or removes it where `value` is undefined. Comments and order stay; an invalid result is not written.
 * @param value read as YAML, so that `120` is a number and `[a, b]` a list
 * @throws {TradeAgentError} `invalid_config`, `usage`
 */
export async function changeConfig(home: Home, key: string, value: string | undefined): Promise<void> {
  const { parseDocument } = await import('yaml');
  const file = configFile(home);
  const text = configText(home);
  // An invalid file is for "config edit": a change here could hide the mistake.
  await checkConfig(text, file);
  const document: Document = parseDocument(text);
  const keys = path(key);
  await requireMaps(document, keys, text, file);
  if (value === undefined) {
    if (!document.hasIn(keys)) {
      throw new TradeAgentError('not_found', `${key} is not set`, { hint: 'See "trade-agent config get".' });
    }
    document.deleteIn(keys);
  } else {
    document.setIn(keys, (await readYaml(value, 'the value')).content);
  }
  await replaceConfig(home, document.toString());
}

/**
 * A key can be set only below a map, not below a value or an alias. @throws {TradeAgentError} `invalid_config` with
 * the line
 */
export async function requireMaps(
  document: Document,
  keys: readonly string[],
  text: string,
  file: string,
): Promise<void> {
  const { isAlias, isMap, isScalar } = await import('yaml');
  for (const length of keys.keys()) {
    const above = keys.slice(0, length);
    const node = length === 0 ? document.contents : document.getIn(above, true);
    if (node === undefined || node === null || isMap(node) || (isScalar(node) && node.value === null))
      continue;
    const name = above.join('.') || 'the file';
    const what = isAlias(node) ? `stands for what is written at &${node.source}` : 'is a value, not a map';
    const offset = (node as { range?: readonly number[] | null }).range?.[0] ?? 0;
    throw invalidFile(
      `${file}:${text.slice(0, offset).split('\n').length}: ${name} ${what}: nothing can be set below it`,
      file,
      'Write it out with "trade-agent config edit".',
    );
  }
}

/** Changes the file's document; comments and order stay. @throws {TradeAgentError} `invalid_config` */
export async function editDocument(
  home: Home,
  change: (document: Document, text: string) => void | Promise<void>,
): Promise<void> {
  const { parseDocument } = await import('yaml');
  const text = configText(home);
  const document: Document = parseDocument(text);
  await change(document, text);
  await replaceConfig(home, document.toString());
}

/** Writes the text if it is valid. @throws {TradeAgentError} `invalid_config` */
export async function replaceConfig(home: Home, text: string): Promise<void> {
  try {
    await checkConfig(text, configFile(home));
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    // The file is unchanged: it needs no correction.
    const { code, message, details, hint } = error;
    const unwritten = 'Nothing was written.';
    throw new TradeAgentError(code, message, {
      hint: hint === undefined || hint === WRONG_FILE_HINT ? unwritten : `${hint} ${unwritten}`,
      details,
    });
  }
  writePrivateFile(configFile(home), text);
}

function path(key: string): string[] {
  const names = key.split('.');
  if (names.every((name) => /^[\w-]+$/.test(name))) return names;
  throw new TradeAgentError('usage', `"${key}" is not a key`, {
    hint: 'Write it with dots, as in profiles.work.model.name.',
  });
}
