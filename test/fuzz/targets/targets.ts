import { readsOrRefuses } from './own-errors.ts';
import { type OpenTarget, reads } from './target.ts';

/** Each in a module of its own, so that what fuzzes one loads, and instruments, no more than it needs. */
const groups: Readonly<Record<string, () => Promise<Readonly<Record<string, OpenTarget>>>>> = {
  words: async () => (await import('./words.ts')).wordTargets,
  json: async () => asText((await import('./json.ts')).jsonReaders),
  brokers: async () => (await import('./broker-answers.ts')).brokerTargets,
  requests: async () => ({ 'a request': (await import('./requests.ts')).openRequestTarget }),
};

/** JSON as it comes: as text. What is none is refused before any of ours sees it. */
function asText(readers: typeof import('./json.ts')['jsonReaders']): Record<string, OpenTarget> {
  return Object.fromEntries(
    Object.entries(readers).map(([name, [read, ...sound]]) => [
      name,
      reads(
        (text) => {
          let value: unknown;
          try {
            value = JSON.parse(text);
          } catch {
            return;
          }
          return read(value);
        },
        ...sound.map((one) => JSON.stringify(one)),
      ),
    ]),
  );
}

/** All there are: a group, and a name in it. */
export async function allTargets(): Promise<readonly (readonly [group: string, name: string])[]> {
  const all = await Promise.all(
    Object.entries(groups).map(async ([group, load]) =>
      Object.keys(await load()).map((name) => [group, name] as const),
    ),
  );
  return all.flat();
}

/** @throws in `read` whatever is no refusal */
export async function openTarget(group: string, name: string) {
  const target = await (await groups[group]?.())?.[name]?.();
  if (target === undefined) throw new Error(`there is no target ${group}: ${name}`);
  return { ...target, read: (text: string) => readsOrRefuses(() => target.read(text)) };
}
