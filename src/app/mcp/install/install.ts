import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { chosenProfileName, findProfile, storeOf } from '../../../config/resolve-profile.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { writeWholeFile } from '../../../machine/private-file.ts';
import { startEnvironment } from '../../../machine/start-environment.ts';
import type { App } from '../../app.ts';
import { launcher } from '../../launcher.ts';
import { version } from '../../version.ts';
import {
  type Entry,
  type Machine,
  type McpClientFacts,
  type McpClientName,
  mcpClients,
  type Program,
} from './client-table.ts';
import { type Edited, editServer } from './edited.ts';

export interface InstallOptions {
  readonly client: McpClientName;
  /** Of the server, in the client's settings. */
  readonly name: string;
  /** By the gateway's address, instead of a program that the client starts. */
  readonly remote: boolean;
  readonly readOnly: boolean;
  /** Only says what would be written. */
  readonly print: boolean;
}

/** What is written into a client's settings, or would be. */
export interface Installation {
  readonly client: McpClientName;
  readonly title: string;
  readonly file: string;
  /** Under which the entry stands in the file. */
  readonly section: string;
  readonly name: string;
  readonly transport: 'stdio' | 'http';
  /** As it stands in the file. */
  readonly entry: string;
  /** What it takes the place of; null where there was no server of that name. */
  readonly replaces: string | null;
  readonly state: 'written' | 'unchanged' | 'shown';
  /** What the person should know or do next. */
  readonly next: readonly string[];
}

/**
 * Names this program, or the profile's gateway, in the settings of an MCP client: one entry, the rest stays as it is.
 * @param agree asked once all is known, unless nothing is to be written; false leaves everything as it is
 * @throws {TradeAgentError} `usage` for what the client can't have; `invalid_config` for settings that can't be read;
 *   `interrupted` where the person does not agree
 */
export async function installMcp(
  app: Pick<App, 'env' | 'config' | 'profileName' | 'profile'>,
  options: InstallOptions,
  agree: (found: Installation) => Promise<boolean>,
  machine: Machine = { platform: process.platform, userHome: homedir(), env: app.env },
): Promise<Installation> {
  const client: McpClientFacts = mcpClients[options.client];
  const transport = options.remote ? 'http' : 'stdio';
  const entry = options.remote
    ? await remoteEntry(app, client, options)
    : client.stdio(await ownProgram(app, options, machine));
  const file = followed(client.file(machine));
  const edit = () => editServer(file, readSettings(file), client, options.name, entry);
  const edited = edit();
  const found: Installation = {
    client: options.client,
    title: client.title,
    ...{ file, section: client.section, name: options.name, transport },
    entry: edited.entry,
    replaces: edited.before ?? null,
    state: edited.before === edited.entry ? 'unchanged' : 'shown',
    next: [...unseen(file, client), ...client.next[options.remote ? 'remote' : 'stdio'](options.name)],
  };
  if (options.print || found.state === 'unchanged') return found;
  if (!(await agree(found))) throw new TradeAgentError('interrupted', 'nothing was written');
  // As the file is now: its own program may have written it while the person thought about it.
  writeSettings(file, edit());
  return { ...found, state: 'written' };
}

async function remoteEntry(
  app: Pick<App, 'profile'>,
  client: McpClientFacts,
  options: InstallOptions,
): Promise<Entry> {
  if (options.readOnly) {
    throw new TradeAgentError('usage', '--read-only is for a program that the client starts', {
      hint: 'What a client may do over --remote is what you allow it where it signs in.',
    });
  }
  if (client.remote === undefined) {
    throw new TradeAgentError('usage', `${client.title} takes no addresses from its file`, {
      hint: "Add the gateway's address, with /mcp at its end, in its settings under Connectors: it is called from its maker's machines, so it must be a public https address. Or leave out --remote.",
    });
  }
  const { gateway } = await app.profile();
  return client.remote(`${gateway.replace(/\/$/, '')}/mcp`);
}

/** How another program starts this one, from whatever folder and with whatever it passes on. */
async function ownProgram(
  app: Pick<App, 'env' | 'config' | 'profileName'>,
  { readOnly }: InstallOptions,
  { platform }: Machine,
): Promise<Program> {
  const config = await app.config();
  const profile = findProfile(config, chosenProfileName(config, app.profileName));
  const script = launcher();
  const args = ['mcp', '--profile', profile.name, ...(readOnly ? ['--read-only'] : [])];
  const env = startEnvironment(app.env, storeOf(profile) === 'keychain');
  // Where npx has put it, it may be gone tomorrow.
  if (!/[\\/]_npx[\\/]/.test(script)) return { command: process.execPath, args: [script, ...args], env };
  const npx = ['npx', '--yes', `trade-agent@${version()}`, ...args];
  // Windows starts what is no .exe by its shell alone.
  const [command = '', ...rest] = platform === 'win32' ? ['cmd', '/c', ...npx] : npx;
  return { command, args: rest, env };
}

/** The file itself, where a link leads to it: the link stays. */
function followed(file: string): string {
  return existsSync(file) ? realpathSync(file) : file;
}

function unseen(file: string, { title }: McpClientFacts): string[] {
  return existsSync(dirname(file)) ? [] : [`Nothing of ${title} was seen on this machine.`];
}

/** Claude Code keeps a good deal in its own. */
const LONGEST_BYTES = 64 * 2 ** 20;

function readSettings(file: string): string {
  const unreadable = (why: string, cause?: unknown) =>
    new TradeAgentError('invalid_config', `${file} can't be read: ${why}`, {
      cause,
      hint: 'Nothing was changed.',
    });
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw unreadable('it is not a plain file');
    if (stat.size > LONGEST_BYTES) throw unreadable('it is too long');
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    if (error instanceof TradeAgentError) throw error;
    throw unreadable(error instanceof TypeError ? 'it is not UTF-8' : String(code), error);
  }
}

function writeSettings(file: string, { text }: Edited): void {
  try {
    writeWholeFile(file, text, existsSync(file) ? statSync(file).mode & 0o777 : 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TradeAgentError('invalid_config', `${file} can't be written (${code})`, {
      cause: error,
      hint: 'Nothing was changed. See who may write there, or use --print and put it in by hand.',
    });
  }
}
