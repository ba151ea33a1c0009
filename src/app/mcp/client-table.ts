import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly userHome: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface ServerProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export type ServerEntry = Readonly<Record<string, unknown>>;

/** The location and format of an MCP client's server list. */
export interface McpClientSpec {
  readonly title: string;
  readonly format: 'json' | 'toml';
  /** Whether the JSON file may contain comments and trailing commas. */
  readonly comments?: boolean;
  readonly file: (machine: Machine) => string;
  readonly section: string;
  readonly stdio: (program: ServerProgram) => ServerEntry;
  /** Returns the entry for a server's URL. The function is undefined if the client's file accepts no URLs. */
  readonly remote: ((url: string) => ServerEntry) | undefined;
  /** Returns the person's next steps, for a local program and for a URL. @param name the server's name */
  readonly next: { readonly stdio: (name: string) => string[]; readonly remote: (name: string) => string[] };
}

function applicationData({ platform, userHome, env }: Machine): string {
  if (platform === 'darwin') return join(userHome, 'Library', 'Application Support');
  if (platform === 'win32') return env.APPDATA || join(userHome, 'AppData', 'Roaming');
  return env.XDG_CONFIG_HOME || join(userHome, '.config');
}

const stdioEntry = ({ command, args, env }: ServerProgram): ServerEntry => ({
  command,
  args,
  ...(Object.keys(env).length === 0 ? {} : { env }),
});

const restartStep = (title: string) => () => [`Restart ${title} so that it reads the file.`];

/** The clients supported by `mcp install`. docs/guide/MCP.md describes how each client handles elicitation. */
export const mcpClients = {
  // https://modelcontextprotocol.io/docs/develop/connect-local-servers
  claude: {
    title: 'Claude Desktop',
    format: 'json',
    file: (machine) => join(applicationData(machine), 'Claude', 'claude_desktop_config.json'),
    section: 'mcpServers',
    stdio: stdioEntry,
    remote: undefined,
    next: { stdio: restartStep('Claude Desktop'), remote: () => [] },
  },
  // https://code.claude.com/docs/en/mcp, "user scope"
  'claude-code': {
    title: 'Claude Code',
    format: 'json',
    file: ({ userHome, env }) => join(env.CLAUDE_CONFIG_DIR || userHome, '.claude.json'),
    section: 'mcpServers',
    stdio: (program) => ({ type: 'stdio', ...stdioEntry(program) }),
    remote: (url) => ({ type: 'http', url }),
    next: {
      stdio: (name) => [allowedToolsStep(name)],
      remote: (name) => [`Sign in with "claude mcp login ${name}", or with /mcp in its chat.`, allowedToolsStep(name)],
    },
  },
  // https://developers.openai.com/codex/mcp
  codex: {
    title: 'codex',
    format: 'toml',
    file: ({ userHome, env }) => join(env.CODEX_HOME || join(userHome, '.codex'), 'config.toml'),
    section: 'mcp_servers',
    stdio: stdioEntry,
    remote: (url) => ({ url }),
    next: {
      stdio: () => [codexExecStep],
      remote: (name) => [`Sign in with "codex mcp login ${name}".`, codexExecStep],
    },
  },
  // https://opencode.ai/docs/mcp-servers
  opencode: {
    title: 'opencode',
    format: 'json',
    comments: true,
    file: ({ userHome, env }) => {
      const folder = join(env.XDG_CONFIG_HOME || join(userHome, '.config'), 'opencode');
      const commented = join(folder, 'opencode.jsonc');
      return existsSync(commented) ? commented : join(folder, 'opencode.json');
    },
    section: 'mcp',
    stdio: ({ command, args, env }) => ({
      type: 'local',
      command: [command, ...args],
      ...(Object.keys(env).length === 0 ? {} : { environment: env }),
    }),
    remote: (url) => ({ type: 'remote', url }),
    next: { stdio: () => [], remote: (name) => [`Sign in with "opencode mcp auth ${name}".`] },
  },
  // https://geminicli.com/docs/tools/mcp-server
  gemini: {
    title: 'Gemini CLI',
    format: 'json',
    comments: true,
    file: ({ userHome, env }) => join(env.GEMINI_CLI_HOME || userHome, '.gemini', 'settings.json'),
    section: 'mcpServers',
    stdio: stdioEntry,
    remote: (url) => ({ httpUrl: url }),
    next: { stdio: () => [], remote: (name) => [`Sign in with /mcp auth ${name} in its chat.`] },
  },
  // https://cursor.com/docs/mcp
  cursor: {
    title: 'Cursor',
    format: 'json',
    comments: true,
    file: ({ userHome }) => join(userHome, '.cursor', 'mcp.json'),
    section: 'mcpServers',
    stdio: stdioEntry,
    remote: (url) => ({ url }),
    next: {
      stdio: restartStep('Cursor'),
      remote: () => [...restartStep('Cursor')(), 'Cursor opens the browser so that you can sign in.'],
    },
  },
  // https://code.visualstudio.com/docs/agents/reference/mcp-configuration
  vscode: {
    title: 'VS Code',
    format: 'json',
    comments: true,
    file: (machine) => join(applicationData(machine), 'Code', 'User', 'mcp.json'),
    section: 'servers',
    stdio: (program) => ({ type: 'stdio', ...stdioEntry(program) }),
    remote: (url) => ({ type: 'http', url }),
    next: {
      stdio: (name) => [`Start ${name} under "MCP: List Servers".`],
      remote: (name) => [`Start ${name} under "MCP: List Servers". VS Code opens the browser so that you can sign in.`],
    },
  },
  // https://docs.windsurf.com/windsurf/cascade/mcp
  windsurf: {
    title: 'Windsurf',
    format: 'json',
    file: ({ userHome }) => join(userHome, '.codeium', 'windsurf', 'mcp_config.json'),
    section: 'mcpServers',
    stdio: stdioEntry,
    remote: (url) => ({ serverUrl: url }),
    next: {
      stdio: restartStep('Windsurf'),
      remote: () => [...restartStep('Windsurf')(), 'Windsurf opens the browser so that you can sign in.'],
    },
  },
  // https://zed.dev/docs/ai/mcp
  zed: {
    title: 'Zed',
    format: 'json',
    comments: true,
    file: (machine) => {
      const { platform, userHome, env } = machine;
      if (platform === 'win32') return join(applicationData(machine), 'Zed', 'settings.json');
      const folder = platform === 'darwin' ? undefined : env.XDG_CONFIG_HOME;
      return join(folder || join(userHome, '.config'), 'zed', 'settings.json');
    },
    section: 'context_servers',
    stdio: stdioEntry,
    remote: (url) => ({ url }),
    next: {
      stdio: () => ['Zed reads the file at once.'],
      remote: () => ['Zed opens the browser so that you can sign in.'],
    },
  },
} as const satisfies Readonly<Record<string, McpClientSpec>>;

export type McpClientName = keyof typeof mcpClients;
export const mcpClientNames = Object.keys(mcpClients) as McpClientName[];

function allowedToolsStep(name: string): string {
  return `"claude -p" never prompts: it calls only the tools in --allowedTools, such as mcp__${name}__place_order.`;
}

const codexExecStep = '"codex exec" never prompts: it rejects cancel_order and calls the other tools.';
