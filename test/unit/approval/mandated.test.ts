import { describe, expect, it } from 'vitest';
import type { Approval } from '../../../src/approval/kind.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { alice, kernelWorld, TOKEN_MS } from './kernel-world.ts';

const MANDATE = 'M-x9K2aB7cD1';
const under = { more: { mandate: MANDATE } };
const busy = { outcome: 'not_taken', refusal: new HttpProblem(503, 'service_busy', 'busy') } as const;

describe('what a mandate approves', () => {
  it('is carried out, and nobody is asked', async () => {
    const world = kernelWorld();
    let seen: Approval | undefined;
    world.steps.push(async (subject, approved) => {
      seen = approved;
      return world.place(subject);
    });
    const { id, subjectId } = await world.propose('5', under);
    await world.until(id, 'executed');
    expect(world.questions).toEqual([]);
    expect(world.polls).toEqual([]);
    expect(world.told).toEqual([]);
    expect(seen).toMatchObject({
      sub: 'alice',
      mandate: MANDATE,
      jti: `m:${MANDATE}:${subjectId}`,
      accessToken: alice.accessToken,
    });
    expect((await world.events()).map(({ event }) => event)).toEqual([
      'proposed',
      'approved_by_mandate',
      'executing',
      'executed',
    ]);
    expect((await world.events())[1]).toMatchObject({ mandate: MANDATE });
  });

  it('is not begun under a halt', async () => {
    const world = kernelWorld();
    world.steps.push(busy);
    const { id } = await world.propose('5', under);
    await world.clock.run(world.kernel.halt({ sub: 'alice', clientId: 'phone' }));
    expect((await world.row(id)).state).toBe('cancelled');
    expect(world.book).toEqual([]);
  });

  it('is not done in a row that was changed since', async () => {
    const world = kernelWorld();
    world.steps.push(busy);
    const { id } = await world.propose('5', under);
    await world.close();
    world.database.prepare(`UPDATE proposals SET subject = replace(subject, '"5"', '"500"')`).run();
    world.start();
    expect(await world.until(id, 'blocked')).toMatchObject({ reason: { code: 'state_corrupt' } });
    expect(world.book).toEqual([]);
  });

  it.each([['mandate'], ['approval']])('is nothing that another’s program can ask for, by %s', async (member) => {
    const world = kernelWorld();
    const by = { ...alice, clientId: 'other' };
    await expect(
      world.propose('5', { by, more: { [member]: member === 'mandate' ? MANDATE : 'mandate' } }),
    ).rejects.toMatchObject({ status: 403, code: 'client_not_allowed' });
  });
});

describe('after a restart there is no session at hand', () => {
  const restarted = async () => {
    const world = kernelWorld();
    world.steps.push(busy);
    const { id } = await world.propose('5', under);
    await world.close();
    const tokens: string[] = [];
    // As where the broker is opened by a token: without one it is not taken.
    const step = async (subject: Parameters<typeof world.place>[0], { accessToken }: Approval) => {
      tokens.push(accessToken);
      if (accessToken !== '') return world.place(subject);
      world.steps.push(step);
      return busy;
    };
    world.steps.push(step);
    world.start();
    return { world, id, tokens };
  };

  it('so it waits for one, and goes on with that', async () => {
    const { world, id, tokens } = await restarted();
    await world.sleep(10_000);
    expect((await world.row(id)).state).toBe('approved');
    await world.clock.run(world.kernel.settle(await world.row(id), { ...alice, accessToken: 'LATER-TOKEN' }));
    await world.until(id, 'executed');
    expect(tokens[0]).toBe('');
    expect(tokens.at(-1)).toBe('LATER-TOKEN');
    expect(world.book).toHaveLength(1);
  });

  it('and ends with its time: there is no order without a bound', async () => {
    const { world, id, tokens } = await restarted();
    const began = world.clock.now();
    expect(await world.until(id, 'expired')).toMatchObject({ reason: { code: 'approval_expired' } });
    expect(world.clock.now() - began).toBeLessThanOrEqual(TOKEN_MS + 30_000);
    expect(new Set(tokens)).toEqual(new Set(['']));
    expect(world.book).toEqual([]);
  });
});
