import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { ChangeNotifier, type ListenerTarget } from '../../../src/approval/change-notifier.ts';
import { systemClock } from '../../../src/machine/clock.ts';

const LONG_MS = 60_000;

/** Whether it has ended by the time everything that is due has run. */
async function hasEnded(wait: Promise<void>): Promise<boolean> {
  let ended = false;
  void wait.then(() => {
    ended = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return ended;
}

it('a change wakes who waits for that proposal or for that person, and nobody else', async () => {
  const changes = new ChangeNotifier(systemClock);
  const end = new AbortController();
  const wait = (to: ListenerTarget) => changes.listen(to).next(LONG_MS, [end.signal]);
  const its = wait({ proposal: 'one' });
  const another = wait({ proposal: 'two' });
  const owner = wait({ sub: 'alice' });
  const stranger = wait({ sub: 'bob' });
  changes.notify({ sub: 'alice', id: 'one' });
  expect(await Promise.all([its, another, owner, stranger].map(hasEnded))).toEqual([true, false, true, false]);
  end.abort();
  await Promise.all([another, stranger]);
});

it('where changes may have been missed, everybody is woken', async () => {
  const changes = new ChangeNotifier(systemClock);
  const targets: ListenerTarget[] = [{ proposal: 'one' }, { sub: 'alice' }, 'anybody'];
  const waits = targets.map((to) => changes.listen(to).next(LONG_MS, []));
  changes.notifyAll();
  await Promise.all(waits);
});

it('a wait ends with its signal, and leaves no listener there', async () => {
  const changes = new ChangeNotifier(systemClock);
  const end = new AbortController();
  const news = changes.listen({ proposal: 'one' });
  const wait = news.next(LONG_MS, [end.signal]);
  expect(getEventListeners(end.signal, 'abort')).toHaveLength(1);
  changes.notify({ sub: 'alice', id: 'one' });
  await wait;
  expect(getEventListeners(end.signal, 'abort')).toHaveLength(0);
  end.abort();
  news.forget();
  await news.next(LONG_MS, [end.signal]);
});

it('a change that came before anybody waited is heard, until it is forgotten', async () => {
  const changes = new ChangeNotifier(systemClock);
  const end = new AbortController();
  const news = changes.listen({ proposal: 'one' });
  changes.notify({ sub: 'alice', id: 'one' });
  expect(await hasEnded(news.next(LONG_MS, [end.signal]))).toBe(true);
  news.forget();
  const wait = news.next(LONG_MS, [end.signal]);
  expect(await hasEnded(wait)).toBe(false);
  end.abort();
  await wait;
  news.end();
});

it('a change of a proposal is awaited by who listens for it, for any person or for anybody, until they stop', () => {
  const changes = new ChangeNotifier(systemClock);
  expect(changes.isAwaited('one')).toBe(false);
  const its = changes.listen({ proposal: 'one' });
  expect([changes.isAwaited('one'), changes.isAwaited('two')]).toEqual([true, false]);
  its.end();
  // Whose the other is stands in its row.
  for (const to of [{ sub: 'alice' }, 'anybody'] as const) {
    const news = changes.listen(to);
    expect(changes.isAwaited('two')).toBe(true);
    news.end();
    expect(changes.isAwaited('two')).toBe(false);
  }
});
