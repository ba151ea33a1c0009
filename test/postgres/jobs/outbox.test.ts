import { expect, it } from 'vitest';
import type { Job } from '../../../src/jobs/job-queue.ts';
import { createJobOutbox } from '../../../src/jobs/temporal/outbox.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { blockDatabase, withPostgres } from '../support/database.ts';

withPostgres('an outbox of jobs', () => {
  const server = blockDatabase(stateSchema);

  const jobOf = (key: string): Job => ({ kind: 'run', key, ids: { run: key } });
  async function opened(tenant?: string) {
    const database = await server.open(tenant);
    const outbox = createJobOutbox(database);
    const add = (key: string, at?: number) => database.write((unit) => outbox.add(unit, jobOf(key), at));
    const dueKeys = async () => (await outbox.due(10)).map(({ key }) => key);
    const idOf = async (key: string) => (await outbox.due(10)).find((row) => row.key === key)?.id ?? -1;
    return { database, outbox, add, dueKeys, idOf };
  }

  it('has what was committed, in order, and what is due alone', async () => {
    const { database, outbox, add, dueKeys } = await opened();
    await add('a');
    await add('later', Date.now() + 60_000);
    await add('b', Date.now() - 60_000);
    const undone = database.write(async (unit) => {
      await outbox.add(unit, jobOf('undone'));
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await dueKeys()).toEqual(['a', 'b']);
    expect((await outbox.due(1)).map(({ key }) => key)).toEqual(['a']);
  });

  it('has it until it is done, and hands it over again after a while', async () => {
    const { outbox, add, dueKeys, idOf } = await opened();
    await add('a');
    const id = await idOf('a');
    await outbox.handed([id], 60_000);
    expect(await dueKeys()).toEqual([]);
    await outbox.handed([id], 0);
    expect(await dueKeys()).toEqual(['a']);
    expect(await outbox.begin(id)).toEqual({ job: jobOf('a'), tries: 1 });
    await outbox.done(id);
    expect(await outbox.begin(id)).toBeUndefined();
    expect(await dueKeys()).toEqual([]);
  });

  it('counts how often it was begun, but not what was given back', async () => {
    const { outbox, add, idOf } = await opened();
    await add('a');
    const id = await idOf('a');
    await outbox.begin(id);
    expect((await outbox.begin(id))?.tries).toBe(2);
    await outbox.giveBack(id);
    expect((await outbox.begin(id))?.tries).toBe(2);
  });

  it('lists the dead, the newest first, for as long as they are looked at', async () => {
    const { database, outbox, add, dueKeys, idOf } = await opened();
    for (const key of ['a', 'b']) {
      await add(key);
      await outbox.bury(await idOf(key), 'timeout');
    }
    expect(await dueKeys()).toEqual([]);
    const dead = await outbox.dead(10);
    expect(dead).toEqual(
      ['b', 'a'].map((key) => ({
        ...{ id: expect.any(String), job: jobOf(key), code: 'timeout', failedAt: expect.any(Number) },
      })),
    );
    expect(Math.abs((dead[0]?.failedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    const [{ id } = { id: '' }] = dead;
    // It is over: whoever comes late with it has nothing to do, and takes it off no list.
    expect(await outbox.begin(Number(id))).toBeUndefined();
    await outbox.done(Number(id));
    expect(await outbox.dead(10)).toHaveLength(2);
    await database.write((unit) =>
      unit.run("UPDATE job_outbox SET dead_at = dead_at - interval '31 days' WHERE id = @id", { id }),
    );
    await outbox.clear();
    expect((await outbox.dead(10)).map(({ job }) => job.key)).toEqual(['a']);
  });

  it('is its tenant’s alone', async () => {
    const [ours, theirs] = [await opened(), await opened()];
    await theirs.add('theirs');
    const id = await theirs.idOf('theirs');
    expect(await ours.dueKeys()).toEqual([]);
    expect(await ours.outbox.begin(id)).toBeUndefined();
    await ours.outbox.done(id);
    await ours.outbox.bury(id, 'timeout');
    await ours.outbox.handed([id], 60_000);
    expect(await theirs.dueKeys()).toEqual(['theirs']);
  });

  it('tells its own tenant’s listeners, once it is committed', async () => {
    const [ours, theirs] = [await opened(), await opened()];
    let [told, toldTheirs] = [0, 0];
    ours.outbox.listen(() => (told += 1));
    theirs.outbox.listen(() => (toldTheirs += 1));
    // Each is told as it begins to listen.
    await expect.poll(() => [told, toldTheirs]).toEqual([1, 1]);
    await ours.database.write(async (unit) => {
      await ours.outbox.add(unit, jobOf('a'));
      expect(told).toBe(1);
    });
    await expect.poll(() => told).toBe(2);
    await theirs.add('b');
    await expect.poll(() => toldTheirs).toBe(2);
    expect(told).toBe(2);
  });
});
