import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { readRequiredFile } from '../../config/required-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { brokerListSettingsShape, type NamedBroker, toNamedBrokers } from '../../gateway/broker/named-broker.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { anchorSchema, databaseSchema } from '../../gateway/settings/common-settings.ts';
import { kmsSettingsSchema } from '../../secrets/kms/kms-settings.ts';

export interface GatewayPaths {
  readonly home: string;
  readonly config: string;
}

/** Reads gateway.yaml. @throws {TradeAgentError} `invalid_config` */
export async function readGatewaySettingsFile(file: string): Promise<GatewaySettings> {
  const hint = 'See docs/operate/GATEWAY.md for its contents, or pass another file with --config.';
  return await parseYaml(gatewaySettingsSchema, readRequiredFile(file, 'gateway configuration', hint), file);
}

/** The settings for the location of a gateway's data and keys. If absent, both are in the gateway's folder. */
export type StorageSettings = Pick<GatewaySettings, 'database' | 'kms'>;

const storageOnlySchema = z.looseObject({ database: databaseSchema.optional(), kms: kmsSettingsSchema.optional() });

/**
 * Reads only the storage settings, so that a halt can be lifted even if other settings are invalid. Returns no settings
 * if the file is missing.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function readStorageSettings(file: string): Promise<StorageSettings> {
  if (!existsSync(file)) return {};
  return await parseYaml(storageOnlySchema, readRequiredFile(file, 'gateway configuration', ''), file);
}

const brokersOnlySchema = z.looseObject(brokerListSettingsShape);

/** Returns the brokers in a gateway's settings. @throws {TradeAgentError} `invalid_config` */
export async function readBrokers(file: string): Promise<NamedBroker[]> {
  return toNamedBrokers(await parseYaml(brokersOnlySchema, readRequiredFile(file, 'gateway configuration', ''), file));
}

const anchorOnlySchema = z.looseObject({ anchor: anchorSchema.optional() });

/** Returns the root certificates for the audit log's timestamps, if set. @throws {TradeAgentError} `invalid_config` */
export async function readTimestampRootCertificates(config: string, folder: string): Promise<string | undefined> {
  if (!existsSync(config)) return undefined;
  const { anchor } = await parseYaml(anchorOnlySchema, readRequiredFile(config, 'gateway configuration', ''), config);
  return anchor?.ca_file === undefined ? undefined : resolve(folder, anchor.ca_file);
}
