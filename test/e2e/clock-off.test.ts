import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createWorld, type World } from './world.ts';
import { worldClock } from './world-clock.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

it.each([-45, 45])(
  "a machine's clock that is off by %s seconds does no harm to a sign-in, an approval, or the order",
  async (seconds) => {
    const clock = worldClock(join(world.folder, 'clock.json'));
    clock.set(Date.now() + seconds * 1000);
    const { env } = clock;
    const login = world.start(['login', '--output', 'stream-json'], { env });
    const [, code = ''] = await login.waitFor(/"user_code":"([^"]+)"/);
    await world.phone.completeDevice('alice', code);
    expect((await login.finished).stderr).toMatch(/clock is 4\d seconds (ahead|behind)/);

    expect(await world.cli(['quote', 'AAPL'], { env })).toMatchObject({ code: 0 });
    const asked = await world.cli(['run', 'buy 1 AAPL', '--approval', 'detach', '--output', 'json'], { env });
    expect(asked).toMatchObject({ code: 5 });
    const [request] = await world.phone.requests('alice');
    await world.phone.decide(request?.id ?? '', 'approve');
    // Another process, which knows nothing yet of the difference.
    const { thread } = JSON.parse(asked.stdout) as { thread: string };
    const resumed = await world.cli(['resume', thread, '--output', 'json'], { env });
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
    expect((await world.book()).map(({ symbol, status }) => [symbol, status])).toEqual([['AAPL', 'filled']]);
  },
);
