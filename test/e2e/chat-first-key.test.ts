import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { suiteWorld } from './suite-world.ts';
import { launcher } from './world.ts';

const world = suiteWorld({ login: false });

// A terminal by util-linux's `script`, which passes on at once what the chat writes: tmux is looked at now and then.
it.skipIf(process.platform !== 'linux')('takes a key that comes with its first prompt', async () => {
  for (let i = 0; i < 5; i++) {
    const chat = spawn('script', ['-qfec', `exec "${process.execPath}" "${launcher}"`, '/dev/null'], {
      env: { ...world.env, TERM: 'xterm-256color' },
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
