import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { type McpClientName, mcpClients } from '../../../../src/app/mcp/client-table.ts';
import { editServerEntry } from '../../../../src/app/mcp/install.ts';

const edit = (client: McpClientName, text: string, entry: object = { command: 'node', args: ['x'] }) =>
  editServerEntry('/f', text, mcpClients[client], 'trade-agent', entry as Record<string, unknown>);
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'invalid_config', message: expect.stringMatching(message) });

const jsonc = `{
\t// mine
\t"servers": {
\t\t"docs": { "url": "https://docs.example" }, // theirs
\t},
\t"inputs": [],
}
`;

const toml = `model = "gpt-5"  # mine

[mcp_servers.docs]
command = "docs"
note = """
[mcp_servers.trade-agent]
"""

# about the project
[projects."/home/ada"]
trust_level = "trusted"
`;

describe('JSON', () => {
  it('keeps comments, order, tabs and commas at the end where the program allows them', () => {
    expect(edit('vscode', jsonc).text).toBe(`{
\t// mine
\t"servers": {
\t\t"trade-agent": {
\t\t\t"command": "node",
\t\t\t"args": [
\t\t\t\t"x"
\t\t\t]
\t\t},
\t\t"docs": { "url": "https://docs.example" }, // theirs
\t},
\t"inputs": [],
}
`);
  });

  it.each(['', ' \n'])('begins an empty file: %j', (text) => {
    expect(JSON.parse(edit('cursor', text).text)).toEqual({
      mcpServers: { 'trade-agent': { command: 'node', args: ['x'] } },
    });
  });

  it('keeps line ends of Windows, its mark at the beginning, and an indentation of four', () => {
    const { text } = edit('claude', '\ufeff{\r\n    "a": 1\r\n}\r\n', { url: 'u' });
    expect(text).toBe(
      '\ufeff{\r\n    "mcpServers": {\r\n        "trade-agent": {\r\n            "url": "u"\r\n        }\r\n    },\r\n    "a": 1\r\n}\r\n',
    );
  });

  it('keeps what the person added to the entry, and nothing of another way to reach it', () => {
    const there = { mcpServers: { 'trade-agent': { command: 'old', env: { A: '1' }, trust: true } } };
    const { text } = edit('gemini', JSON.stringify(there), { httpUrl: 'u' });
    expect(JSON.parse(text).mcpServers['trade-agent']).toEqual({ httpUrl: 'u', trust: true });
  });

  it.each<[string, McpClientName, string, RegExp]>([
    ['a comment where the program takes none', 'claude', '{\n  // mine\n}', /^\/f:2:3: not JSON: invalid comment/],
    ['a comma at the end where the program takes none', 'claude-code', '{\n"a": 1,\n}', /^\/f:3:1: not JSON/],
    ['a bracket that is missing', 'cursor', '{\n  "mcpServers": {\n', /^\/f:3:1: not JSON: close brace expected/],
    ['a list', 'cursor', '[]', /^\/f:1:1: not an object/],
    ['servers that are a list', 'cursor', '{"mcpServers": []}', /"mcpServers" is not a table/],
    ['a server that is a text', 'cursor', '{"mcpServers": {"trade-agent": ""}}', /is not a server/],
    // Programs read the last; editors change the first.
    ['servers twice', 'cursor', '{"mcpServers": {}, "mcpServers": {}}', /can't be changed without/],
  ])('refuses %s', (_, client, text, message) => {
    expect(() => edit(client, text)).toThrow(refusal(message));
  });
});

describe('TOML', () => {
  it('adds its tables at the end, and changes nothing above', () => {
    const { text } = edit('codex', toml, { command: 'node', args: ['x'], env: { A: 'b' } });
    expect(text).toBe(`${toml}
[mcp_servers.trade-agent]
command = "node"
args = [ "x" ]

[mcp_servers.trade-agent.env]
A = "b"
`);
  });

  it('replaces its own tables where they stand, with what the person added to them', () => {
    const first = edit('codex', `# mine\n`, { command: 'node', env: { A: 'b' } }).text;
    const more = first.replace(
      '\n\n[mcp_servers.trade-agent.env]',
      '\ntool_timeout_sec = 90\n\n[mcp_servers.trade-agent.env]',
    );
    const rest = '# about docs\n[mcp_servers.docs]\ncommand = "docs"\n';
    const { text, before } = edit('codex', `${more}\n${rest}`, { url: 'u' });
    expect(text).toBe(`# mine

[mcp_servers.trade-agent]
url = "u"
tool_timeout_sec = 90

${rest}`);
    expect(before).toContain('A = "b"');
  });

  it('leaves blank lines and comments to the table below', () => {
    const text = `[mcp_servers.trade-agent]\nurl = "old"\n\n# about docs\n[mcp_servers.docs]\nurl = "d"\n`;
    expect(edit('codex', text, { url: 'new' }).text).toBe(text.replace('old', 'new'));
  });

  it.each<[string, string, RegExp]>([
    ['what is not TOML', 'a = 1\nb = [', /^\/f:2:\d+: not TOML: unfinished array/],
    ['a server within a line', 'mcp_servers = { trade-agent = { url = "old" } }', /can't be changed without/],
    ['a server by dotted keys', 'mcp_servers.trade-agent.url = "old"', /can't be changed without/],
    [
      'tables that are apart',
      '[mcp_servers.trade-agent]\nurl="o"\n[a]\n[mcp_servers.trade-agent.tools]\nx=1\n',
      /can't be/,
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => edit('codex', text, { url: 'u' })).toThrow(refusal(message));
  });
});

it.each<McpClientName>(['claude', 'codex'])('written twice is written once: %s', (client) => {
  const { text, before, entry } = edit(client, '');
  expect(before).toBeUndefined();
  expect(edit(client, text)).toEqual({ text, entry, before: entry });
});

it('what is written is TOML for others, too', () => {
  const entry = { command: 'C:\\a "b"\\node.exe', args: ['--x', 'é\t'] };
  expect(parseToml(edit('codex', toml, entry).text)).toMatchObject({ mcp_servers: { 'trade-agent': entry } });
});
