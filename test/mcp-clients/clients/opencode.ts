import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientDriver } from '../driver.ts';

export const opencode: ClientDriver = {
  title: 'opencode run',
  package: { registry: 'npm', name: 'opencode-ai', version: '1.18.33', command: 'opencode' },
  revision: '2025-11-25',
  installs: 'opencode',
  registers: 'DCR',
  waits: 'check_approval',
  env: () => ({ OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' }),
  async configure({ env, model, install }) {
    const folder = join(env.HOME ?? '', '.config', 'opencode');
    mkdirSync(folder, { recursive: true });
    const scripted = {
      npm: '@ai-sdk/openai-compatible',
      options: { baseURL: `${model}/v1`, apiKey: 'scripted' },
      models: { scripted: {} },
    };
    const settings = { model: 'scripted/scripted', provider: { scripted }, autoupdate: false };
    writeFileSync(join(folder, 'opencode.json'), JSON.stringify(settings));
    await install('opencode');
  },
  async signIn({ run }) {
    await run(['mcp', 'auth', 'trade-agent'], { terminal: true });
  },
  ask: ({ run }, words) => run(['run', '--auto', words]),
};
