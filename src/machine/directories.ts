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
  if (override) {
    return {
      config: override,
      data: override,
      log: join(override, 'log'),
      sandbox: `${withoutSlash(override)}-sandbox`,
    };
  }
  const paths = envPaths('trade-agent', { suffix: '' });
  return {
    config: paths.config,
    data: paths.data,
    log: paths.log,
    sandbox: envPaths('trade-agent-sandbox', { suffix: '' }).data,
  };
}

/** Beside the agent's: the gateway's key opens accounts at the broker, and the agent must not read it. */
export function gatewayHome(env: NodeJS.ProcessEnv = process.env): string {
  const override = env.TRADE_AGENT_HOME;
  return override
    ? `${withoutSlash(override)}-gateway`
    : envPaths('trade-agent-gateway', { suffix: '' }).data;
}

/** For a server and its workers: the key, and where the database is. */
export function serverHome(env: NodeJS.ProcessEnv = process.env): string {
  const override = env.TRADE_AGENT_HOME;
  return override ? `${withoutSlash(override)}-server` : envPaths('trade-agent-server', { suffix: '' }).data;
}

/** Beside the agent's, which must not read its accounts, keys and approvers. */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const override = env.TRADE_AGENT_HOME;
  return override ? `${withoutSlash(override)}-home` : envPaths('trade-agent-home', { suffix: '' }).data;
}

const withoutSlash = (folder: string) => folder.replace(/[\\/]+$/, '');

/** Creates a folder only its owner can enter. */
export function ensurePrivateFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
