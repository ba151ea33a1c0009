import type { Home } from '../machine/home.ts';
import { configText, replaceConfig, requireMaps } from './config-edit.ts';
import { configFile } from './config-file.ts';
import type { McpServerConfig } from './mcp-servers.ts';

/**
 * Writes a server of a profile into `config.yaml`, or what changed of one; comments and everything else in it stay.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function writeMcpServer(
  home: Home,
  profile: string,
  name: string,
  changes: Partial<McpServerConfig>,
): Promise<void> {
  const { parseDocument } = await import('yaml');
  const text = configText(home);
  const document = parseDocument(text);
  await requireMaps(document, ['profiles', profile, 'mcp_servers', name, ''], text, configFile(home));
  for (const [key, value] of Object.entries(changes)) {
    document.setIn(['profiles', profile, 'mcp_servers', name, key], document.createNode(value));
  }
  await replaceConfig(home, document.toString());
}

/** Takes a server out of a profile. @throws {TradeAgentError} `invalid_config` */
export async function removeMcpServer(home: Home, profile: string, name: string): Promise<void> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(configText(home));
  document.deleteIn(['profiles', profile, 'mcp_servers', name]);
  await replaceConfig(home, document.toString());
}
