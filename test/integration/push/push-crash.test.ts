import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPushService, type PushService } from './push-service.ts';

const program = join(import.meta.dirname, 'notifier-process.ts');

let service: PushService;
let folder: string;
let children: ChildProcess[];
beforeEach(async () => {
  service = await openPushService();
  folder = mkdtempSync(join(tmpdir(), 'push-crash-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  expect(service.complaints).toEqual([]);
  await service.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(failpoint = '') {
  const child = spawn(process.execPath, [program, join(folder, 'state.db')], {
    env: { ...process.env, TRADE_AGENT_BUILD: 'test', TRADE_AGENT_FAILPOINT: failpoint },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const died = once(child, 'exit').then(([, signal]) => signal);
  let answers = 0;
  child.stdout.on('data', (text: Buffer) => {
    answers += text.toString().split('done').length - 1;
  });
  return {
    died,
    say: async (...lines: string[]) => {
      const before = answers;
      child.stdin.write(`${lines.join('\n')}\n`);
      await expect.poll(() => answers, { timeout: 10_000 }).toBe(before + lines.length);
    },
    tell: (line: string) => void child.stdin.write(`${line}\n`),
  };
}

const subscription = () => `subscribe ${JSON.stringify(service.subscribe('phone'))}`;
const received = (count: number) => expect.poll(() => service.received, { timeout: 15_000 }).toHaveLength(count);
const rings = () => {
  const database = new Database(join(folder, 'state.db'), { readonly: true });
  try {
    return database.prepare('SELECT * FROM request_notifications').all() as Record<string, number | null>[];
  } finally {
    database.close();
  }
};

/** What is shipped has no failpoints. */
describe.skipIf(process.env.TRADE_AGENT_SHIPPED !== undefined)('a home that is', () => {
  it('killed before it rings: it rings after the start', async () => {
    const first = start('push.due=kill');
    await first.say(subscription());
    first.tell('ask 300000');
    expect(await first.died).toBe('SIGKILL');
    expect(service.received).toEqual([]);
    start();
    await received(1);
    await expect.poll(() => rings()[0]?.pushed_at).toEqual(expect.any(Number));
  });

  it('killed before it knows that it rang: it rings once more, in the same place, and never not at all', async () => {
    const first = start('push.sent=kill');
    await first.say(subscription());
    first.tell('ask 300000');
    expect(await first.died).toBe('SIGKILL');
    start();
    await received(2);
    const [before, after] = service.received;
    expect([after?.topic, after?.message]).toEqual([before?.topic, before?.message]);
    await expect.poll(() => rings()[0]?.pushed_at).toEqual(expect.any(Number));
    expect(service.received).toHaveLength(2);
  });

  it('killed before it knows that it rang again: it rings again once more', async () => {
    const first = start('push.sent_again=kill');
    await first.say(subscription());
    // Unseen for a third of it.
    first.tell('ask 30000');
    await received(1);
    // The second is due in ten seconds: as if they had passed.
    const database = new Database(join(folder, 'state.db'));
    await expect.poll(() => rings()[0]?.pushed_at).toEqual(expect.any(Number));
    database.exec('UPDATE request_notifications SET pushed_at = pushed_at - 20000');
    database.close();
    expect(await first.died).toBe('SIGKILL');
    start();
    await received(3);
    expect(service.received.map(({ message }) => message.again ?? false)).toEqual([false, true, true]);
    await expect.poll(() => rings()[0]?.pushed_again_at).toEqual(expect.any(Number));
  });

  it('killed while it takes a ring back: it is taken back after the start', async () => {
    const first = start('push.taken_back=kill');
    await first.say(subscription(), 'ask 300000');
    await received(1);
    await expect.poll(() => rings()[0]?.pushed_at).toEqual(expect.any(Number));
    first.tell('decide');
    expect(await first.died).toBe('SIGKILL');
    start();
    await received(3);
    expect(service.received.map(({ message }) => message.kind)).toEqual(['ask', 'settled', 'settled']);
    await expect.poll(rings).toEqual([]);
  });
});
