import { expect, it } from 'vitest';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import { DispatchDeadline, withDispatchDeadline } from '../../../src/net/dispatch-deadline.ts';
import type { Bench } from './bench.ts';

/** A deadline reaches the socket through whatever client library an adapter uses. */
export function deadlineCases(bench: () => Bench, { replaces }: BrokerTraits): void {
  const deadlineAhead = () => {
    let isOver = false;
    const pass = () => {
      isOver = true;
    };
    return { deadline: new DispatchDeadline(() => isOver), pass };
  };
  const passed = () => new DispatchDeadline(() => true);
  const open = () => bench().broker.orders({ status: 'open', limit: 50, symbols: [] });

  it('does not leave after its dispatch deadline, and can be sent afterwards', async () => {
    const { broker, order } = bench();
    const before = await open();
    const wanted = order('limit');
    const deadline = passed();
    expect(await withDispatchDeadline(deadline, () => broker.submit(wanted))).toEqual({ outcome: 'unknown' });
    expect(deadline.nothingSent).toBe(true);
    expect(await open()).toEqual(before);
    expect(await broker.submit(wanted)).toMatchObject({ outcome: 'accepted' });
  });

  it('leaves before its dispatch deadline', async () => {
    const { broker, order } = bench();
    const { deadline, pass } = deadlineAhead();
    const sent = withDispatchDeadline(deadline, () => broker.submit(order('limit')));
    expect(await sent).toMatchObject({ outcome: 'accepted' });
    pass();
    expect(deadline.nothingSent).toBe(false);
  });

  it('does not leave after its dispatch deadline where it is the first that a new connection is used for', async () => {
    const { connect, order } = bench();
    const before = await open();
    const fresh = connect(10_000);
    const deadline = passed();
    const sent = withDispatchDeadline(deadline, () => fresh.submit(order('limit')));
    await sent.catch((error: unknown) => expect(error).toMatchObject({ name: 'HttpProblem' }));
    expect(deadline.nothingSent).toBe(true);
    expect(await open()).toEqual(before);
    expect(await fresh.submit(order('limit'))).toMatchObject({ outcome: 'accepted' });
  });

  it('keeps to its own dispatch deadline, not to that of the order that the connection was made for', async () => {
    const { connect, order } = bench();
    const fresh = connect(10_000);
    const first = deadlineAhead();
    await withDispatchDeadline(first.deadline, () => fresh.submit(order('limit')));
    first.pass();
    const second = deadlineAhead();
    const sent = withDispatchDeadline(second.deadline, () => fresh.submit(order('limit')));
    expect(await sent).toMatchObject({ outcome: 'accepted' });
    const third = passed();
    await withDispatchDeadline(third, () => fresh.submit(order('limit')));
    expect(third.nothingSent).toBe(true);
  });

  it.runIf(replaces !== undefined)('is not replaced after the dispatch deadline', async () => {
    const { broker, order, resting } = bench();
    const { id } = await resting();
    const before = await broker.order(id);
    const deadline = passed();
    const wanted = { order: order('limit', { qty: '2' }), changes: { qty: '2' } };
    const sent = withDispatchDeadline(deadline, () => broker.replace(id, wanted));
    expect(await sent).toEqual({ outcome: 'unknown' });
    expect(deadline.nothingSent).toBe(true);
    expect(await broker.order(id)).toEqual(before);
  });
}
