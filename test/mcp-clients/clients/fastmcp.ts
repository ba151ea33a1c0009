import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClientDriver, Setting } from '../driver.ts';

const agent = fileURLToPath(new URL('fastmcp_agent.py', import.meta.url));

const run = ({ run: start, endpoint, model, folder }: Setting, words: string) =>
  start([agent, endpoint, model, join(folder, 'tokens'), words]);

export const fastmcp: ClientDriver = {
  title: 'fastmcp (Python)',
  package: { registry: 'pypi', name: 'fastmcp', version: '4.2.3', command: 'python' },
  revision: '2026-07-28',
  registers: 'DCR',
  waits: 'check_approval',
  configure: async ({ folder }) => {
    mkdirSync(join(folder, 'tokens'));
  },
  async signIn(setting) {
    await run(setting, '');
  },
  ask: run,
};
