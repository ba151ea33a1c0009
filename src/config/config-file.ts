import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Home } from '../machine/directories.ts';
import { writePrivateFile } from '../machine/private-file.ts';
import { type Config, configSchema } from './profile.ts';
import { invalidFile, parseYaml } from './yaml-file.ts';

/** Where the profiles are. */
export function configFile(home: Home): string {
  return join(home.config, 'config.yaml');
}

/**
 * Reads `config.yaml`; a missing or empty file is an empty configuration.
 * @throws {TradeAgentError} `invalid_config`, with file, line, key, and the nearest right key
 */
export async function loadConfig(home: Home): Promise<Config> {
  const file = configFile(home);
  const text = readIfPresent(file);
  return text === undefined ? configSchema.parse({}) : checkConfig(text, file);
}

/**
 * What a configuration's text says.
 * @param file its name, for messages
 * @throws {TradeAgentError} `invalid_config`
 */
export function checkConfig(text: string, file: string): Promise<Config> {
  return parseYaml(configSchema, text, file);
}

/** Writes the configuration anew (0600, atomically). Comments in the file are lost; prefer {@link setDefaultProfile}. */
export async function saveConfig(home: Home, config: z.input<typeof configSchema>): Promise<void> {
  configSchema.parse(config);
  const { stringify } = await import('yaml');
  writePrivateFile(configFile(home), stringify(config));
}

/** Changes `default_profile` and nothing else: comments and order stay. @throws {TradeAgentError} `invalid_config` */
export async function setDefaultProfile(home: Home, name: string): Promise<void> {
  await loadConfig(home);
  const { parseDocument } = await import('yaml');
  const document = parseDocument(readIfPresent(configFile(home)) ?? '');
  document.set('default_profile', name);
  writePrivateFile(configFile(home), document.toString());
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw invalidFile(`${file} can't be read (${code ?? 'unknown error'})`, file);
  }
}
