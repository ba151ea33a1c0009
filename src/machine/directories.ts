import { mkdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import envPaths from 'env-paths';

/** The folders of one operating system user, with mode 0700. Their files have mode 0600. */
export interface UserDirs {
  /** Contains `config.yaml` and, if credentials are stored in a file, the encrypted credential file. */
  readonly config: string;
  /** Contains `state.db`. */
  readonly data: string;
  readonly log: string;
  /** The sandbox's folder. It is outside the agent's folders, because it contains the phone's pairing secret. */
  readonly sandbox: string;
}

/**
 * Returns the platform's folders (XDG on Linux), unless `TRADE_AGENT_HOME` overrides them. The sandbox's folder is a
 * sibling of the agent's folder, so that the agent can be confined to its own folder.
 */
export function resolveUserDirs(env: NodeJS.ProcessEnv = process.env): UserDirs {
  const override = env.TRADE_AGENT_HOME;
  const sandbox = siblingFolder('sandbox')(env);
  if (override) return { config: override, data: override, log: join(override, 'log'), sandbox };
  const { config, data, log } = envPaths('trade-agent', { suffix: '' });
  return { config, data, log, sandbox };
}

function siblingFolder(name: string) {
  return (env: NodeJS.ProcessEnv = process.env): string =>
    env.TRADE_AGENT_HOME
      ? `${env.TRADE_AGENT_HOME.replace(/[\\/]+$/, '')}-${name}`
      : envPaths(`trade-agent-${name}`, { suffix: '' }).data;
}

/** Returns the gateway's folder. Its key gives access to broker accounts, so the agent must not read it. */
export const getGatewayFolder = siblingFolder('gateway');

/** Returns the folder of a server and its workers. It contains their key and the database's URL. */
export const getServerFolder = siblingFolder('server');

/** Returns a home's folder. The agent must not be able to read the home's accounts, keys and approvers. */
export const getHomeDataFolder = siblingFolder('home');

export function ensurePrivateFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Returns why a folder is not safe for secrets, or undefined if it is safe. */
export function findFolderRisk(found: Stats): string | undefined {
  if (found.isSymbolicLink()) return 'it is a symbolic link';
  if (!found.isDirectory()) return 'it is not a folder';
  if (process.platform === 'win32') return undefined;
  if (found.uid !== process.getuid?.()) return 'it belongs to another user';
  if ((found.mode & 0o077) !== 0) return 'other users can access it';
  return undefined;
}
