import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../../src/config/config-file.ts';
import { mcpServerSchema, mcpServersSchema } from '../../../src/config/mcp-servers.ts';
import { removeProfileEntry, writeProfileEntry } from '../../../src/config/named-entries.ts';
import type { UserDirs } from '../../../src/machine/directories.ts';

const refusal = (server: unknown) => mcpServerSchema.safeParse(server).error?.issues[0]?.message;

describe('a server of a profile', () => {
  it('is a program or an address, on, with nothing allowed', () => {
    expect(mcpServerSchema.parse({ command: 'npx', args: ['-y', 'x'], env: ['REGION'] })).toEqual({
      ...{ command: 'npx', args: ['-y', 'x'], env: ['REGION'] },
      ...{ enabled: true, tools: [], pins: {}, unsafe: [] },
    });
    expect(mcpServerSchema.parse({ url: 'https://a.example/mcp' })).toMatchObject({ tools: [] });
  });

  it.each<[string, unknown, string]>([
    ['neither', {}, 'must have either a "command" or a "url"'],
    ['both', { command: 'x', url: 'https://a.example' }, 'must have either a "command" or a "url"'],
    ['arguments of an address', { url: 'https://a.example', args: ['x'] }, '"args" and "env" belong to a "command"'],
    ['a client of a program', { command: 'x', client_id: 'y' }, '"client_id" belongs to a "url"'],
    [
      'an address in the clear',
      { url: 'http://a.example' },
      'must be an https address; plain http is allowed only for servers on this machine',
    ],
    ['a password in it', { url: 'https://u:p@a.example' }, 'must not contain a user name or password'],
    ['a value for a variable', { command: 'x', env: ['KEY=secret'] }, 'must be the name of a variable, not its value'],
    [
      'a variable of ours',
      { command: 'x', env: ['TRADE_AGENT_API_KEY'] },
      'is reserved for trade-agent: it is never passed to another program',
    ],
    [
      'the key of a language model',
      { command: 'x', env: ['OPENAI_API_KEY'] },
      'is reserved for trade-agent: it is never passed to another program',
    ],
    ['a pin that is none', { command: 'x', pins: { a: 'short' } }, 'must be a SHA-256 in hex'],
  ])('is not %s', (_, server, message) => {
    expect(refusal(server)).toBe(message);
  });

  it('has a name that its tools can be called by', () => {
    expect(mcpServersSchema.safeParse({ 'News Wire': { command: 'x' } }).error?.issues[0]?.message).toBe(
      'a server name has at most 24 lowercase letters, digits and "-"',
    );
  });
});

it('is written beside what stands in config.yaml, and taken out again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const home = { config: folder } as UserDirs;
  const file = join(folder, 'config.yaml');
  writeFileSync(file, 'profiles:\n  # mine\n  sandbox:\n    max_slippage: "0.02"\n', { mode: 0o600 });
  const place = { home, profile: 'sandbox', section: 'mcp_servers', name: 'news' } as const;
  await writeProfileEntry(place, { command: 'npx', tools: ['a.b'], pins: { 'a.b': 'a'.repeat(64) } });
  expect((await loadConfig(home)).profiles.sandbox).toMatchObject({
    max_slippage: '0.02',
    mcp_servers: { news: { command: 'npx', tools: ['a.b'], pins: { 'a.b': 'a'.repeat(64) } } },
  });
  await removeProfileEntry(place);
  expect(readFileSync(file, 'utf8')).toContain('# mine');
  expect((await loadConfig(home)).profiles.sandbox?.mcp_servers).toEqual({});
});
