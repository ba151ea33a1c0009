// Plays one scenario in its own network namespace, and tells its parent what it came to: node test/network/player.ts NAME JSON
import type { Facts } from './facts.ts';
import type { Namespaces } from './namespaces.ts';
import { playCable } from './plays/cable.ts';
import { playFrozen } from './plays/frozen.ts';
import { playSwallowed } from './plays/swallowed.ts';

export const plays = { cable: playCable, frozen: playFrozen, swallowed: playSwallowed };

export type PlayName = keyof typeof plays;
export type PlayOptions<N extends PlayName> = Parameters<(typeof plays)[N]>[1];

if (process.send !== undefined) {
  // Whoever started it is gone.
  process.once('disconnect', () => process.exit(1));
  const [name, text = '{}'] = process.argv.slice(2);
  const { namespaces, options } = JSON.parse(text) as { namespaces: Namespaces; options: never };
  const play = plays[name as PlayName] as (namespaces: Namespaces, options: never) => Promise<Facts>;
  try {
    const facts = await play(namespaces, options);
    process.send({ facts }, () => process.exit(0));
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.send({ failure }, () => process.exit(1));
  }
}
