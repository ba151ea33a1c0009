import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import envPaths from 'env-paths';

/** Where one user's files are. Folders 0700, files 0600. */
export interface Home {
  /** `config.yaml`, and the encrypted credential file where that was chosen. */
  readonly config: string;
  /** `state.db`, `audit.jsonl`. */
  readonly data: string;
  readonly log: string;
  /** Outside the agent's folders, since it holds the phone's pairing secret. */
  readonly sandbox: string;
}

/**
 * `TRADE_AGENT_HOME` overrides all; otherwise the platform's folders (XDG on Linux). The sandbox's stands beside the
 * agent's, so that the agent can be confined to one folder.
 */
export function resolveHome(env: NodeJS.ProcessEnv = process.env): Home {
  const override = env.TRADE_AGENT_HOME;
  const sandbox = beside('sandbox')(env);
  if (override) return { config: override, data: override, log: join(override, 'log'), sandbox };
  const { config, data, log } = envPaths('trade-agent', { suffix: '' });
  return { config, data, log, sandbox };
}

function beside(name: string) {
  return (env: NodeJS.ProcessEnv = process.env): string =>
    env.TRADE_AGENT_HOME
      ? `${env.TRADE_AGENT_HOME.replace(/[\\/]+$/, '')}-${name}`
      : envPaths(`trade-agent-${name}`, { suffix: '' }).data;
}

/** Its key opens accounts at the broker: the agent must not read it. */
export const gatewayHome = beside('gateway');

/** For a server and its workers: the key, and where the database is. */
export const serverHome = beside('server');

/** The agent must not read its accounts, keys and approvers. */
export const homeFolder = beside('home');

export function ensurePrivateFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
