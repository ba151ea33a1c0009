import { existsSync } from 'node:fs';
import { z } from 'zod';
import { readNamedFile } from '../../config/named-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { type DatabaseSettings, databaseSchema } from '../../gateway/database-settings.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';

/** @throws {TradeAgentError} `invalid_config` */
export async function readSettings(file: string): Promise<GatewaySettings> {
  const hint = 'docs/GATEWAY.md says what it holds; name another with --config.';
  return await parseYaml(gatewaySettingsSchema, readNamedFile(file, 'gateway configuration', hint), file);
}

const databaseAlone = z.looseObject({ database: databaseSchema.optional() });

/**
 * Where the data is, whatever else is wrong with the settings: a halt can be ended all the same.
 * @returns undefined for the gateway's folder, also where there are no settings
 * @throws {TradeAgentError} `invalid_config`
 */
export async function readDatabase(file: string): Promise<DatabaseSettings | undefined> {
  if (!existsSync(file)) return undefined;
  return (await parseYaml(databaseAlone, readNamedFile(file, 'gateway configuration', ''), file)).database;
}
