import type { UserDirs } from '../machine/directories.ts';
import { editConfigDocument, requireParentMaps } from './config-edit.ts';
import { configFilePath } from './config-file.ts';
import type { Profile } from './profile.ts';

/** Location of a profile's entry with a user-chosen name: an MCP server or a notice channel. */
export interface EntryLocation {
  readonly home: UserDirs;
  readonly profile: string;
  readonly section: keyof Pick<Profile, 'mcp_servers' | 'notices'>;
  readonly name: string;
}

/** Adds or changes an entry. Keeps comments and all other entries. @throws {TradeAgentError} `invalid_config` */
export async function writeProfileEntry(
  { home, profile, section, name }: EntryLocation,
  changes: Readonly<Record<string, unknown>>,
): Promise<void> {
  await editConfigDocument(home, async (document, text) => {
    await requireParentMaps(document, ['profiles', profile, section, name, ''], text, configFilePath(home));
    for (const [key, value] of Object.entries(changes))
      document.setIn(['profiles', profile, section, name, key], document.createNode(value));
  });
}

/** Removes an entry. @throws {TradeAgentError} `invalid_config` */
export async function removeProfileEntry({ home, profile, section, name }: EntryLocation): Promise<void> {
  await editConfigDocument(home, (document) => {
    document.deleteIn(['profiles', profile, section, name]);
  });
}
