import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientDriver } from '../driver.ts';

const KEY = 'sk-ant-api03-scripted-model-of-a-test';

export const claudeCode = {
  package: { registry: 'npm', name: '@anthropic-ai/claude-code', version: '2.1.332', command: 'claude' },
  revision: '2026-07-28',
  installs: 'claude-code',
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

const allowed = ['mcp__trade-agent', 'mcp__here'].flatMap((server) =>
  ['place_order', 'check_approval'].map((tool) => `${server}__${tool}`),
);

export const claudePrint: ClientDriver = {
  ...claudeCode,
  title: 'Claude Code -p',
  waits: 'check_approval',
  ask: ({ run }, words) => run(['-p', words, '--allowedTools', ...allowed]),
};

export const claudeChat: ClientDriver = {
  ...claudeCode,
  title: 'Claude Code chat',
  waits: 'task',
  async configure({ env, folder, install }) {
    // As after the questions of a first start.
    const answered = {
      hasCompletedOnboarding: true,
      theme: 'dark',
      customApiKeyResponses: { approved: [KEY.slice(-20)], rejected: [] },
      projects: { [folder]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
    };
    writeFileSync(join(env.HOME ?? '', '.claude.json'), JSON.stringify(answered));
    await install('claude-code');
  },
  ask: ({ chat }, words) =>
    chat(['--allowedTools', ...allowed], async (terminal) => {
      await terminal.shows(/^❯/m);
      // It connects meanwhile; a model that is asked before has no such tools yet.
      terminal.type('/mcp\n');
      await terminal.shows(/✔ trade-agent/);
      terminal.press('Escape');
      await terminal.hides(/✔ trade-agent/);
      terminal.type(`${words}\n`);
      const ends = /It ends: \w+\./;
      // It asks how its task stands less and less often.
      return await terminal.shows(ends).catch(() => terminal.shows(ends));
    }),
};
