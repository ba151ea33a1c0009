import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientDriver } from '../driver.ts';

export const codex: ClientDriver = {
  title: 'codex exec',
  package: { registry: 'npm', name: '@openai/codex', version: '0.169.0', command: 'codex' },
  revision: '2025-06-18',
  installs: 'codex',
  registers: 'CIMD',
  waits: 'check_approval',
  env: () => ({ SCRIPTED_KEY: 'scripted' }),
  async configure({ env, model, install }) {
    // The time-out is for a machine that does much else; what a person has written there stays.
    const folder = join(env.HOME ?? '', '.codex');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'config.toml'),
      `model = "scripted"
model_provider = "scripted"
mcp_oauth_credentials_store = "file"

[model_providers.scripted]
name = "scripted"
base_url = "${model}/v1"
wire_api = "responses"
env_key = "SCRIPTED_KEY"

[mcp_servers.trade-agent]
startup_timeout_sec = 60
`,
    );
    await install('codex');
  },
  async signIn({ run }) {
    await run(['mcp', 'login', 'trade-agent']);
  },
  ask: ({ run }, words) => run(['exec', '--skip-git-repo-check', words]),
};
