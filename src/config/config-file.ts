import { join } from 'node:path';
import type { z } from 'zod';
import type { Home } from '../machine/directories.ts';
import { readIfThere, writePrivateFile } from '../machine/private-file.ts';
import { type Config, configSchema } from './profile.ts';
import { invalidFile, parseYaml } from './yaml-file.ts';

export function configFile(home: Home): string {
  return join(home.config, 'config.yaml');
}

/**
 * Reads `config.yaml`; a missing or empty file is an empty configuration.
 * @throws {TradeAgentError} `invalid_config`, with file, line, key, and the nearest right key
 */
export async function loadConfig(home: Home): Promise<Config> {
  const text = configText(home);
  // An empty configuration loads no YAML parser.
  return text === '' ? configSchema.parse({}) : await checkConfig(text, configFile(home));
}

/** The text of `config.yaml`; empty where there is none. @throws {TradeAgentError} `invalid_config` */
export function configText(home: Home): string {
  const file = configFile(home);
  try {
    return readIfThere(file) ?? '';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw invalidFile(`${file} can't be read (${code})`, file, 'Correct its permissions.');
  }
}

/**
 * @param file its name, for messages
 * @throws {TradeAgentError} `invalid_config`
 */
export function checkConfig(text: string, file: string): Promise<Config> {
  return parseYaml(configSchema, text, file);
}

/** Overwrites the configuration (0600, atomically). Comments are lost; prefer {@link setDefaultProfile}. */
export async function saveConfig(home: Home, config: z.input<typeof configSchema>): Promise<void> {
  configSchema.parse(config);
  const { stringify } = await import('yaml');
  writePrivateFile(configFile(home), stringify(config));
}

/** Changes only `default_profile`: comments and order stay. @throws {TradeAgentError} `invalid_config` */
export async function setDefaultProfile(home: Home, name: string): Promise<void> {
  await loadConfig(home);
  const { parseDocument } = await import('yaml');
  const document = parseDocument(configText(home));
  document.set('default_profile', name);
  writePrivateFile(configFile(home), document.toString());
}
