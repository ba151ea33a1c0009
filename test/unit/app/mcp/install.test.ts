import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Machine, type McpClientName, mcpClientNames } from '../../../../src/app/mcp/client-table.ts';
import { type InstallOptions, installMcp } from '../../../../src/app/mcp/install.ts';
import type { ResolvedProfile } from '../../../../src/config/profile.ts';

let userHome: string;
beforeEach(() => {
  userHome = mkdtempSync(join(tmpdir(), 'mcp-install-'));
});
afterEach(() => rmSync(userHome, { recursive: true, force: true }));

function install(
  client: McpClientName,
  options: Partial<InstallOptions> = {},
  { agree = async () => true, env = {}, platform = 'linux' as NodeJS.Platform } = {},
) {
  const machine: Machine = { platform, userHome, env };
  const app = {
    env,
    profileName: undefined,
    config: async () => ({ profiles: {} }),
    profile: async () => ({ gateway: 'https://gate.example/' }) as ResolvedProfile,
  };
  const all = { client, name: 'trade-agent', remote: false, readOnly: false, print: false, ...options };
  return installMcp(app, all, agree, machine);
}

const claudeFile = () => join(userHome, '.claude.json');

describe('mcp install', () => {
  it.each(mcpClientNames)('%s starts this program with the profile, by whole paths', async (client) => {
    const { file, entry } = await install(client, { readOnly: true });
    expect(file.startsWith(userHome)).toBe(true);
    const written = readFileSync(file, 'utf8');
    for (const word of [process.execPath, 'bin/trade-agent.js', 'mcp', '--profile', 'sandbox', '--read-only']) {
      expect(written).toContain(word);
      expect(entry).toContain(word);
    }
  });

  it.each<[McpClientName, string]>([
    ['claude-code', '"type": "http"'],
    ['codex', 'url = "https://gate.example/mcp"'],
    ['opencode', '"type": "remote"'],
    ['gemini', '"httpUrl": "https://gate.example/mcp"'],
    ['cursor', '"url": "https://gate.example/mcp"'],
    ['vscode', '"type": "http"'],
    ['windsurf', '"serverUrl": "https://gate.example/mcp"'],
    ['zed', '"url": "https://gate.example/mcp"'],
  ])('%s can have the address instead', async (client, line) => {
    const { file } = await install(client, { remote: true });
    expect(readFileSync(file, 'utf8')).toContain(line);
    expect(readFileSync(file, 'utf8')).toContain('https://gate.example/mcp');
  });

  it('Claude Desktop cannot have an address, and is told why', async () => {
    await expect(install('claude', { remote: true })).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('public https URL'),
    });
  });

  it('an address is not read-only by itself', async () => {
    await expect(install('codex', { remote: true, readOnly: true })).rejects.toMatchObject({ code: 'usage' });
  });

  it('takes along where the files are, and nothing else of the environment', async () => {
    const env = { TRADE_AGENT_HOME: '/h', OPENAI_API_KEY: 'sk-secret' };
    const { file } = await install('claude-code', {}, { env });
    expect(JSON.parse(readFileSync(file, 'utf8')).mcpServers['trade-agent'].env).toEqual({
      TRADE_AGENT_HOME: '/h',
    });
  });

  it.each<[McpClientName, NodeJS.Platform, NodeJS.ProcessEnv, string]>([
    ['claude', 'darwin', {}, 'Library/Application Support/Claude/claude_desktop_config.json'],
    ['claude', 'win32', {}, 'AppData/Roaming/Claude/claude_desktop_config.json'],
    ['vscode', 'darwin', {}, 'Library/Application Support/Code/User/mcp.json'],
    ['windsurf', 'darwin', {}, '.codeium/windsurf/mcp_config.json'],
    ['zed', 'darwin', {}, '.config/zed/settings.json'],
    ['zed', 'win32', {}, 'AppData/Roaming/Zed/settings.json'],
    ['claude-code', 'linux', { CLAUDE_CONFIG_DIR: 'own' }, 'own/.claude.json'],
    ['codex', 'linux', { CODEX_HOME: 'own' }, 'own/config.toml'],
    ['gemini', 'linux', { GEMINI_CLI_HOME: 'own' }, 'own/.gemini/settings.json'],
  ])('finds the file of %s on %s', async (client, platform, places, file) => {
    const env = Object.fromEntries(Object.entries(places).map(([k, v]) => [k, join(userHome, v ?? '')]));
    expect((await install(client, { print: true }, { platform, env })).file).toBe(join(userHome, file));
  });

  it('prefers the file with comments that opencode has', async () => {
    mkdirSync(join(userHome, '.config/opencode'), { recursive: true });
    const file = join(userHome, '.config/opencode/opencode.jsonc');
    writeFileSync(file, '{ /* mine */ }');
    expect((await install('opencode')).file).toBe(file);
    expect(readFileSync(file, 'utf8')).toContain('/* mine */');
  });

  it('printed, or not agreed to, it writes nothing', async () => {
    expect(await install('claude-code', { print: true })).toMatchObject({ state: 'shown' });
    const no = install('claude-code', {}, { agree: async () => false });
    await expect(no).rejects.toMatchObject({ code: 'interrupted' });
    expect(() => statSync(claudeFile())).toThrow('ENOENT');
  });

  it('keeps what the program wrote while the person thought about it', async () => {
    writeFileSync(claudeFile(), '{"seen": 1}');
    const agree = async () => {
      writeFileSync(claudeFile(), '{"seen": 2}');
      return true;
    };
    await install('claude-code', {}, { agree });
    expect(JSON.parse(readFileSync(claudeFile(), 'utf8'))).toMatchObject({ seen: 2, mcpServers: {} });
  });

  it('the second time it asks nothing and writes nothing', async () => {
    await install('claude-code');
    const { mtimeNs } = statSync(claudeFile(), { bigint: true });
    const agree = async () => expect.unreachable();
    expect(await install('claude-code', {}, { agree })).toMatchObject({ state: 'unchanged' });
    expect(statSync(claudeFile(), { bigint: true }).mtimeNs).toBe(mtimeNs);
  });

  it('keeps the mode of a file, and the link that leads to it; a new one is the owner’s alone', async () => {
    const real = join(userHome, 'dotfiles.json');
    writeFileSync(real, '{}');
    chmodSync(real, 0o644);
    symlinkSync(real, claudeFile());
    expect((await install('claude-code')).file).toBe(real);
    expect(lstatSync(claudeFile()).isSymbolicLink()).toBe(true);
    expect(statSync(real).mode & 0o777).toBe(0o644);
    expect(statSync((await install('cursor')).file).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['a folder', () => mkdirSync(claudeFile()), /not a regular file/],
    ['what is not UTF-8', () => writeFileSync(claudeFile(), Buffer.from([0x7b, 0xff])), /not UTF-8/],
    ['a broken file', () => writeFileSync(claudeFile(), '{\n"a" 1}'), /\.claude\.json:2:5: not JSON/],
  ])('refuses %s, and leaves it as it is', async (_, make, message) => {
    make();
    const refused = { code: 'invalid_config', message: expect.stringMatching(message) };
    await expect(install('claude-code')).rejects.toMatchObject(refused);
  });
});
