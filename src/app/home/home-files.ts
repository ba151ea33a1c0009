import { join } from 'node:path';
import { readNamedFile } from '../../config/named-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { type HomeSettings, homeSettingsSchema } from '../../home/settings/home-settings.ts';

/** The files of a home's folder that are named in more than one place. */
export const homeFiles = (folder: string) => ({
  settings: join(folder, 'home.yaml'),
  gateway: join(folder, 'gateway.yaml'),
  limits: join(folder, 'limits.yaml'),
  gatewayDatabase: join(folder, 'gateway.db'),
  providerDatabase: join(folder, 'provider.db'),
  record: join(folder, 'audit.jsonl'),
  /** Written while it serves. */
  ready: join(folder, 'ready.json'),
  /** Held while it serves, and while it is made. */
  lock: join(folder, 'home.lock'),
  /** Held while rules are changed. */
  rulesLock: join(folder, 'policy.lock'),
  /** Held while `gateway.yaml` is changed. */
  gatewayLock: join(folder, 'gateway.lock'),
});

/** How long a home that runs may hold one of its databases, milliseconds. */
export const DATABASE_WAIT_MS = 10_000;

/** @throws {TradeAgentError} `invalid_config`, also where there is no home */
export async function readHomeSettings(folder: string): Promise<HomeSettings> {
  const { settings } = homeFiles(folder);
  const hint = 'Make a home with "trade-agent home init", or name its folder with --home.';
  return await parseYaml(homeSettingsSchema, readNamedFile(settings, 'home here:', hint), settings);
}

/** @throws {TradeAgentError} `invalid_config` */
export async function readGatewaySettings(folder: string): Promise<GatewaySettings> {
  const { gateway } = homeFiles(folder);
  const hint = 'docs/operate/GATEWAY.md says what it holds; "trade-agent home init" writes one.';
  const settings = await parseYaml(
    gatewaySettingsSchema,
    readNamedFile(gateway, 'gateway configuration', hint),
    gateway,
  );
  if (settings.database === undefined) return settings;
  throw new TradeAgentError('invalid_config', `${gateway}: a home keeps its data in its own folder`, {
    hint: 'Remove "database": it is for "trade-agent gateway".',
  });
}
