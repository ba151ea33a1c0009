import { afterAll, beforeAll } from 'vitest';
import { late } from '../late.ts';
import { createWorld, type World } from './world.ts';

type Options = Parameters<typeof createWorld>[0] & { readonly login?: boolean };

/** The world of a test file or a `describe` block: made before its tests, with alice signed in, and closed after them. */
export function suiteWorld({ login = true, ...options }: Options = {}): World {
  let world: World | undefined;
  beforeAll(async () => {
    world = await createWorld(options);
    if (login) await world.login();
  });
  afterAll(() => world?.close());
  return late(() => world);
}
