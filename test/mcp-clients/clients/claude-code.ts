import type { ClientDriver } from '../driver.ts';

const KEY = 'sk-ant-api03-scripted-model-of-a-test';

export const claudeCode = {
  package: { registry: 'npm', name: '@anthropic-ai/claude-code', version: '2.1.332', command: 'claude' },
  registers: 'CIMD',
  env: ({ model }) => ({
    ANTHROPIC_BASE_URL: model,
    ANTHROPIC_API_KEY: KEY,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    ENABLE_TOOL_SEARCH: 'false',
  }),
  configure: ({ install }) => install('claude-code'),
  async signIn({ run }) {
    await run(['mcp', 'login', 'trade-agent'], { terminal: true });
  },
} as const satisfies Partial<ClientDriver>;

export const allowed = ['place_order', 'check_approval'].map((tool) => `mcp__trade-agent__${tool}`);

export const claudePrint: ClientDriver = {
  ...claudeCode,
  title: 'Claude Code -p',
  waits: 'check_approval',
  ask: ({ run }, words) => run(['-p', words, '--allowedTools', ...allowed]),
};
