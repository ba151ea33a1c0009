import { describe, expect, it } from 'vitest';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld();

describe('trade-agent threads', () => {
  it('shows a conversation as text and as JSON', async () => {
    await world.run(['run', 'quote AAPL', '--thread', 'shown']);
    const text = await world.run(['threads', 'show', 'shown']);
    expect(text.exitCode).toBe(0);
    expect(text.stdout).toMatch(/^thread {3}shown\nstatus {3}done/);
    expect(text.stdout).toMatch(/you {4}quote AAPL/);
    expect(text.stdout).toMatch(/[✓+] Look up prices \(AAPL\)/);
    const shown = await world.json('threads', 'show', 'shown');
    expect(shown.body).toMatchObject({
      schema: 'trade-agent.thread/1',
      thread: {
        thread: 'shown',
        status: 'done',
        messages: [{ role: 'user', text: 'quote AAPL' }, { role: 'agent' }, { role: 'tool' }, { role: 'agent' }],
        approvals: [],
      },
    });
  });

  it('names what is not there', async () => {
    for (const command of ['show', 'delete']) {
      const missing = await world.json('threads', command, 'nothing');
      expect(missing.exitCode).toBe(2);
      expect(missing.body.error.code).toBe('not_found');
    }
  });

  it('deletes one only once its approval is settled, and says how', async () => {
    const order = ['run', 'buy 1 KO limit 60', '--approval', 'detach'];
    const { approvals } = (await world.json(...order, '--thread', 'open')).body;
    const refused = await world.run(['threads', 'delete', 'open']);
    expect(refused.exitCode).toBe(5);
    expect(refused.stderr).toContain(`trade-agent approvals cancel ${approvals[0].id}`);
    await world.run(['approvals', 'cancel', approvals[0].id]);
    expect(await world.json('threads', 'delete', 'open')).toMatchObject({
      exitCode: 0,
      body: { schema: 'trade-agent.deleted-threads/1', deleted: ['open'] },
    });
    expect((await world.run(['threads'])).stdout).not.toContain('open');
  });

  it('prunes finished ones, and is told which', async () => {
    await world.run(['run', 'who am I', '--thread', 'older']);
    await world.run(['run', 'who am I', '--thread', 'newer']);
    const vague = await world.run(['threads', 'prune']);
    expect(vague.exitCode).toBe(2);
    expect(vague.stderr).toContain('--older-than 30d');
    const none = await world.json('threads', 'prune', '--older-than', '30d');
    expect(none.body.deleted).toEqual([]);
    const dry = await world.json('threads', 'prune', '--keep', '1', '--dry-run');
    expect(dry.body).toMatchObject({ dry_run: true, deleted: expect.arrayContaining(['older', 'shown']) });
    const pruned = await world.run(['threads', 'prune', '--keep', '1']);
    expect(pruned.stdout).toContain('older');
    const left = (await world.json('threads', 'list')).body.threads;
    expect(left.map(({ thread }: { thread: string }) => thread)).toEqual(['newer']);
  });
});
