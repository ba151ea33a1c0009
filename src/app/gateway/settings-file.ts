import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { readNamedFile } from '../../config/named-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { anchorSchema, databaseSchema } from '../../gateway/settings/common-settings.ts';
import { kmsSchema } from '../../secrets/kms/kms-settings.ts';

export interface GatewayPlaces {
  readonly home: string;
  readonly config: string;
}

/** @throws {TradeAgentError} `invalid_config` */
export async function readSettings(file: string): Promise<GatewaySettings> {
  const hint = 'docs/operate/GATEWAY.md says what it holds; name another with --config.';
  return await parseYaml(gatewaySettingsSchema, readNamedFile(file, 'gateway configuration', hint), file);
}

/** Where a gateway's data and keys are, if not in its folder. */
export type KeptSettings = Pick<GatewaySettings, 'database' | 'kms'>;

const keptAlone = z.looseObject({ database: databaseSchema.optional(), kms: kmsSchema.optional() });

/**
 * Where the data is, even where other settings are wrong: a halt can still be ended. Empty where there is no file.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function readKept(file: string): Promise<KeptSettings> {
  if (!existsSync(file)) return {};
  return await parseYaml(keptAlone, readNamedFile(file, 'gateway configuration', ''), file);
}

const anchorAlone = z.looseObject({ anchor: anchorSchema.optional() });

/** The root certificates for the record's time stamps, if set. @throws {TradeAgentError} `invalid_config` */
export async function readAnchorCa(config: string, folder: string): Promise<string | undefined> {
  if (!existsSync(config)) return undefined;
  const { anchor } = await parseYaml(anchorAlone, readNamedFile(config, 'gateway configuration', ''), config);
  return anchor?.ca_file === undefined ? undefined : resolve(folder, anchor.ca_file);
}
