import { afterEach, describe, expect, it } from 'vitest';
import type { JobOutboxRow } from '../../../../src/jobs/temporal/outbox.ts';
import { type HandOverJobs, startJobRelay } from '../../../../src/jobs/temporal/relay.ts';

/** Rows that stay until they are handed over, as the table has them. */
function rowsOf(...keys: string[]) {
  const rows: JobOutboxRow[] = keys.map((key, id) => ({ id, kind: 'run', key }));
  const handed = new Set<number>();
  let ring = () => {};
  return {
    handed,
    add: (key: string) => {
      rows.push({ id: rows.length, kind: 'run', key });
      ring();
    },
    wake: () => ring(),
    outbox: {
      due: async (limit: number) => rows.filter(({ id }) => !handed.has(id)).slice(0, limit),
      handed: async (ids: readonly number[]) => {
        for (const id of ids) handed.add(id);
      },
      clear: async () => undefined,
      listen(heard: () => void) {
        ring = heard;
        return { close: async () => undefined };
      },
    },
  };
}

describe('what hands jobs over', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const start = (
    { outbox }: ReturnType<typeof rowsOf>,
    handOver: HandOverJobs,
    { holds = true, heard = (_: unknown): void => undefined } = {},
  ) => {
    const lease = { isHeld: holds };
    const leases = { hold: async () => lease.isHeld, release: async () => undefined };
    const relay = startJobRelay({ outbox, leases, handOver, heard });
    closing.push(relay.close);
    return lease;
  };

  it('hands over those of one key together and in order, and each once', async () => {
    const rows = rowsOf('a', 'b', 'a', 'a');
    const seen: [string, readonly number[]][] = [];
    start(rows, async ({ key }, ids) => void seen.push([key, ids]));
    await expect.poll(() => rows.handed.size).toBe(4);
    expect(seen).toEqual([
      ['a', [0, 2, 3]],
      ['b', [1]],
    ]);
    rows.add('a');
    await expect.poll(() => rows.handed.size).toBe(5);
    expect(seen.slice(2)).toEqual([['a', [4]]]);
  });

  it('keeps what was not taken, says so once, and goes on with it', async () => {
    const rows = rowsOf('a');
    const [heard, tried] = [[] as unknown[], [] as number[]];
    let isAway = true;
    const handOver: HandOverJobs = async (_, ids) => {
      tried.push(...ids);
      if (isAway) throw new Error('away');
    };
    start(rows, handOver, { heard: (error) => heard.push(error) });
    await expect.poll(() => tried.length).toBe(1);
    rows.wake();
    await expect.poll(() => tried.length).toBe(2);
    expect([rows.handed.size, heard]).toEqual([0, [new Error('away')]]);
    isAway = false;
    rows.wake();
    await expect.poll(() => [...rows.handed]).toEqual([0]);
    isAway = true;
    rows.add('b');
    await expect.poll(() => heard.length).toBe(2);
  });

  it('hands over the other keys where one is not taken', async () => {
    const rows = rowsOf('bad', 'good', 'good');
    start(rows, async ({ key }) => {
      if (key === 'bad') throw new Error('refused');
    });
    await expect.poll(() => [...rows.handed]).toEqual([1, 2]);
  });

  it('does nothing while another does it', async () => {
    const rows = rowsOf('a');
    const seen: number[] = [];
    const lease = start(rows, async (_, ids) => void seen.push(...ids), { holds: false });
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([]);
    lease.isHeld = true;
    rows.wake();
    await expect.poll(() => seen).toEqual([0]);
  });

  it('takes no more once it is closed, and waits for what it hands over', async () => {
    const rows = rowsOf('a');
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    start(rows, async () => {
      begun.resolve();
      await end.promise;
    });
    await begun.promise;
    const closed = closing.pop()?.();
    rows.add('b');
    end.resolve();
    await closed;
    expect([...rows.handed]).toEqual([0]);
  });
});
