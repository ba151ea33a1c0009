import { describe, expect, it } from 'vitest';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld();

const json = (text: string) => JSON.parse(text);

describe('trade-agent threads', () => {
  it('shows a conversation as text and as JSON', async () => {
    await world.run(['run', 'quote AAPL', '--thread', 'shown']);
    const text = await world.run(['threads', 'show', 'shown']);
    expect(text.exitCode).toBe(0);
    expect(text.stdout).toMatch(/^thread {3}shown\nstatus {3}done/);
    expect(text.stdout).toMatch(/you {4}quote AAPL/);
    expect(text.stdout).toMatch(/[✓+] get_quote AAPL/);
    const object = json((await world.run(['threads', 'show', 'shown', '--output', 'json'])).stdout);
    expect(object).toMatchObject({
      schema: 'trade-agent.thread/1',
      thread: {
        thread: 'shown',
        status: 'done',
        messages: [
          { role: 'user', text: 'quote AAPL' },
          { role: 'agent' },
          { role: 'tool' },
          { role: 'agent' },
        ],
        approvals: [],
      },
    });
  });

  it('names what is not there', async () => {
    for (const command of ['show', 'delete']) {
      const missing = await world.run(['threads', command, 'nothing', '--output', 'json']);
      expect(missing.exitCode).toBe(2);
      expect(json(missing.stdout).error.code).toBe('not_found');
    }
  });

  it('deletes one only once its approval is settled, and says how', async () => {
    const run = ['run', 'buy 1 KO limit 60', '--thread', 'open', '--approval', 'detach', '--output', 'json'];
    const { approvals } = json((await world.run(run)).stdout);
    const refused = await world.run(['threads', 'delete', 'open']);
    expect(refused.exitCode).toBe(5);
    expect(refused.stderr).toContain(`trade-agent approvals cancel ${approvals[0].id}`);
    await world.run(['approvals', 'cancel', approvals[0].id]);
    const deleted = await world.run(['threads', 'delete', 'open', '--output', 'json']);
    expect(deleted.exitCode).toBe(0);
    expect(json(deleted.stdout)).toEqual({ schema: 'trade-agent.deleted-threads/1', deleted: ['open'] });
    expect((await world.run(['threads'])).stdout).not.toContain('open');
  });

  it('prunes finished ones, and is told which', async () => {
    await world.run(['run', 'who am I', '--thread', 'older']);
    await world.run(['run', 'who am I', '--thread', 'newer']);
    const vague = await world.run(['threads', 'prune']);
    expect(vague.exitCode).toBe(2);
    expect(vague.stderr).toContain('--older-than 30d');
    const none = json(
      (await world.run(['threads', 'prune', '--older-than', '30d', '--output', 'json'])).stdout,
    );
    expect(none.deleted).toEqual([]);
    const dry = json(
      (await world.run(['threads', 'prune', '--keep', '1', '--dry-run', '--output', 'json'])).stdout,
    );
    expect(dry).toMatchObject({ dry_run: true, deleted: expect.arrayContaining(['older', 'shown']) });
    const pruned = await world.run(['threads', 'prune', '--keep', '1']);
    expect(pruned.stdout).toContain('older');
    const left = json((await world.run(['threads', 'list', '--output', 'json'])).stdout).threads;
    expect(left.map(({ thread }: { thread: string }) => thread)).toEqual(['newer']);
  });
});
