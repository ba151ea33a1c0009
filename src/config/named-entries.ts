import type { Home } from '../machine/directories.ts';
import { configText, replaceConfig, requireMaps } from './config-edit.ts';
import { configFile } from './config-file.ts';
import type { Profile } from './profile.ts';

/** What of a profile is named by the person: other people's MCP servers, channels of notices. */
export interface EntryPlace {
  readonly home: Home;
  readonly profile: string;
  readonly section: keyof Pick<Profile, 'mcp_servers' | 'notices'>;
  readonly name: string;
}

/**
 * Writes an entry of a profile into `config.yaml`, or what changed of one; comments and everything else in it stay.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function writeEntry(
  { home, profile, section, name }: EntryPlace,
  changes: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { parseDocument } = await import('yaml');
  const text = configText(home);
  const document = parseDocument(text);
  await requireMaps(document, ['profiles', profile, section, name, ''], text, configFile(home));
  for (const [key, value] of Object.entries(changes)) {
    document.setIn(['profiles', profile, section, name, key], document.createNode(value));
  }
  await replaceConfig(home, document.toString());
}

/** Takes an entry out of a profile. @throws {TradeAgentError} `invalid_config` */
export async function removeEntry({ home, profile, section, name }: EntryPlace): Promise<void> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(configText(home));
  document.deleteIn(['profiles', profile, section, name]);
  await replaceConfig(home, document.toString());
}
