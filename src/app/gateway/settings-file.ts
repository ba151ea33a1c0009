import { readNamedFile } from '../../config/named-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';

/** @throws {TradeAgentError} `invalid_config` */
export async function readSettings(file: string): Promise<GatewaySettings> {
  const hint = 'docs/GATEWAY.md says what it holds; name another with --config.';
  return await parseYaml(gatewaySettingsSchema, readNamedFile(file, 'gateway configuration', hint), file);
}
