import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { suiteWorld } from './suite-world.ts';

const launcher = new URL('../../bin/trade-agent.js', import.meta.url).pathname;

const world = suiteWorld({ login: false });

// A terminal by util-linux's `script`, which passes on at once what the chat writes: tmux is looked at now and then.
it.skipIf(process.platform !== 'linux')('takes a key that comes with its first prompt', async () => {
  for (let i = 0; i < 5; i++) {
    const chat = spawn('script', ['-qfec', `exec "${process.execPath}" "${launcher}"`, '/dev/null'], {
      env: {
        PATH: process.env.PATH,
        TERM: 'xterm-256color',
        HOME: world.folder,
        TRADE_AGENT_HOME: world.agentHome,
        TRADE_AGENT_SANDBOX: join(world.folder, 'ready.json'),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const closed = once(chat, 'close', { signal: AbortSignal.timeout(15_000) });
    let shown = '';
    let isPressed = false;
    chat.stdout.on('data', (chunk) => {
      shown += chunk;
      if (isPressed || !/[❯>] /.test(shown)) return;
      isPressed = true;
      chat.stdin.write('\x04');
    });
    try {
      expect(await closed, shown).toEqual([0, null]);
    } finally {
      chat.kill();
    }
  }
});
