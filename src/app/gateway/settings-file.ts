import { readFileSync } from 'node:fs';
import { parseYaml } from '../../config/yaml-file.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { TradeAgentError } from '../../trading/errors.ts';

/** @throws {TradeAgentError} `invalid_config` */
export async function readSettings(file: string): Promise<GatewaySettings> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TradeAgentError(
      'invalid_config',
      code === 'ENOENT' ? `there is no gateway configuration ${file}` : `${file} can't be read (${code})`,
      { hint: 'docs/GATEWAY.md says what it holds; name another with --config.', details: { file } },
    );
  }
  return await parseYaml(gatewaySettingsSchema, text, file);
}
