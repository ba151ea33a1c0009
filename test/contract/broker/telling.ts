import { expect, it, onTestFinished } from 'vitest';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import type { Bench } from './bench.ts';

export function tellingCases(bench: () => Bench, { pushesUpdates = false }: BrokerTraits): void {
  it(`is ${pushesUpdates ? '' : 'not '}told of by itself, as its traits say`, () => {
    expect(bench().broker.tradeUpdates !== undefined).toBe(pushesUpdates);
  });
  if (!pushesUpdates) return;

  it('is told of by its own ids as it is taken, filled and cancelled, once that stands and until it is to end', async () => {
    const { broker, resting, filled } = bench();
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const told: string[] = [];
    let standing = 0;
    const over = broker.tradeUpdates?.(stop.signal, {
      live: () => {
        standing += 1;
      },
      update: ({ ids }) => told.push(...ids),
    });
    await expect.poll(() => standing, { interval: 5 }).toBe(1);
    const bought = await filled();
    const waiting = await resting();
    for (const { id, client_order_id } of [bought, waiting]) {
      await expect.poll(() => told, { interval: 5 }).toEqual(expect.arrayContaining([id, client_order_id]));
    }
    const before = told.length;
    await broker.cancel(waiting.id);
    await expect.poll(() => told.slice(before), { interval: 5 }).toContain(waiting.id);
    stop.abort();
    await over;
    expect(standing).toBe(1);
  });

  it('is told of to nobody once that has ended before it began', async () => {
    const listener = { live: () => expect.unreachable(), update: () => expect.unreachable() };
    await bench().broker.tradeUpdates?.(AbortSignal.abort(), listener);
  });
}
