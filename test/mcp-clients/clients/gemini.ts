import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientDriver } from '../driver.ts';

export const gemini: ClientDriver = {
  title: 'gemini -p',
  package: { registry: 'npm', name: '@google/gemini-cli', version: '0.61.0', command: 'gemini' },
  revision: null,
  installs: 'gemini',
  registers: 'DCR',
  waits: 'check_approval',
  // It refreshes its token five minutes before the end, by its own clock, and opens a browser at a 401.
  env: ({ model, clock }) => ({
    ...clock,
    GEMINI_API_KEY: 'scripted',
    GOOGLE_GEMINI_BASE_URL: model,
    GEMINI_FORCE_FILE_STORAGE: 'true',
  }),
  async configure({ env, install }) {
    const folder = join(env.HOME ?? '', '.gemini');
    mkdirSync(folder);
    const settings = {
      security: { auth: { selectedType: 'gemini-api-key' } },
      general: { enableAutoUpdate: false },
      privacy: { usageStatisticsEnabled: false },
    };
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
    await install('gemini');
  },
  // Only its chat can.
  signIn: ({ chat }) =>
    chat(['--skip-trust'], async (terminal) => {
      await terminal.shows(/Type your message/);
      terminal.type('/mcp auth trade-agent');
      // Enter takes what it suggests, which it looks for first.
      await terminal.shows(/auth trade-agent[\s\S]*trade-agent/);
      terminal.press('Enter');
      await terminal.shows(/Do you want to continue/);
      terminal.press('Enter');
      await terminal.shows(/Successfully authenticated/);
    }),
  // A model of its own choice would be asked which model to ask.
  ask: ({ run }, words) => run(['-p', words, '--model', 'gemini-2.5-pro', '--approval-mode', 'yolo', '--skip-trust']),
};
