import { join } from 'node:path';
import type { z } from 'zod';
import type { UserDirs } from '../machine/directories.ts';
import { readFileIfExists, writePrivateFile } from '../machine/private-file.ts';
import { type Config, configSchema } from './profile.ts';
import { invalidFileError, parseYaml } from './yaml-file.ts';

export function configFilePath(home: UserDirs): string {
  return join(home.config, 'config.yaml');
}

/**
 * Reads `config.yaml`. A missing or empty file is an empty configuration.
 * @throws {TradeAgentError} `invalid_config`, with the file, line and key, and the closest valid key
 */
export async function loadConfig(home: UserDirs): Promise<Config> {
  const text = readConfigText(home);
  // Skips loading the YAML parser when there is nothing to parse.
  return text === '' ? configSchema.parse({}) : await parseConfig(text, configFilePath(home));
}

/** Returns the text of `config.yaml`, or '' if there is no file. @throws {TradeAgentError} `invalid_config` */
export function readConfigText(home: UserDirs): string {
  const file = configFilePath(home);
  try {
    return readFileIfExists(file) ?? '';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw invalidFileError(`${file} can't be read (${code})`, file, 'Fix its permissions.');
  }
}

/** Parses `config.yaml`. @param file the file's name, for error messages @throws {TradeAgentError} `invalid_config` */
export function parseConfig(text: string, file: string): Promise<Config> {
  return parseYaml(configSchema, text, file);
}

/** Overwrites the configuration atomically (mode 0600). Comments are lost, so prefer {@link setDefaultProfile}. */
export async function saveConfig(home: UserDirs, config: z.input<typeof configSchema>): Promise<void> {
  configSchema.parse(config);
  const { stringify } = await import('yaml');
  writePrivateFile(configFilePath(home), stringify(config));
}

/** Sets `default_profile`. Keeps comments and key order. @throws {TradeAgentError} `invalid_config` */
export async function setDefaultProfile(home: UserDirs, name: string): Promise<void> {
  await loadConfig(home);
  const { parseDocument } = await import('yaml');
  const document = parseDocument(readConfigText(home));
  document.set('default_profile', name);
  writePrivateFile(configFilePath(home), document.toString());
}
