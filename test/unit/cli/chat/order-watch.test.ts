import { describe, expect, it } from 'vitest';
import { OpenOrderWatcher } from '../../../../src/cli/chat/chat-session.ts';
import type { Order } from '../../../../src/trading/views.ts';
import { manualClock } from '../manual-clock.ts';
import { order } from '../sample-events.ts';

function watching(answers: (readonly Order[] | Error)[]) {
  const clock = manualClock();
  const told: string[] = [];
  let asked = 0;
  const watch = new OpenOrderWatcher({
    clock,
    orders: async () => {
      const answer = answers[asked++];
      if (answer instanceof Error) throw answer;
      return answer ?? [];
    },
    changed: ({ status, filled_qty }) => told.push(`${status} ${filled_qty}`),
  });
  return { clock, told, watch, asked: () => asked };
}

const open: Order = { ...order, status: 'new', filled_qty: '0', filled_avg_price: null };

describe('watching open orders', () => {
  it('tells of each fill, and stops once nothing is open', async () => {
    const partly: Order = { ...open, status: 'partially_filled', filled_qty: '2' };
    const { clock, told, watch, asked } = watching([[open], [partly], [order]]);
    watch.look();
    await clock.slept(5000);
    expect(told).toEqual([]);
    clock.advance(5000);
    await clock.slept(5000);
    clock.advance(5000);
    await expect.poll(() => told).toEqual(['partially_filled 2', 'filled 5']);
    expect(asked()).toBe(3);
  });

  it('does not repeat what a run has told already', async () => {
    const { clock, told, watch, asked } = watching([[open], [order]]);
    watch.look();
    await clock.slept(5000);
    watch.told(order);
    clock.advance(5000);
    await expect.poll(asked).toBe(2);
    expect(told).toEqual([]);
  });

  it('goes on, more slowly, where the gateway fails', async () => {
    const { clock, told, watch } = watching([[open], new Error('down'), [order]]);
    watch.look();
    await clock.slept(5000);
    clock.advance(5000);
    await clock.slept(30_000);
    clock.advance(30_000);
    await expect.poll(() => told).toEqual(['filled 5']);
  });
});
