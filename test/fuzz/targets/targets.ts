import { readsOrRefuses } from './own-errors.ts';
import { type OpenTarget, reads } from './target.ts';

/** Separate modules, so that fuzzing one loads and instruments only what it needs. */
const groups: Readonly<Record<string, () => Promise<Readonly<Record<string, OpenTarget>>>>> = {
  words: async () => (await import('./words.ts')).wordTargets,
  json: async () => asText((await import('./json.ts')).jsonReaders),
  brokers: async () => (await import('./broker-answers.ts')).brokerTargets,
  requests: async () => ({ 'a request': (await import('./requests.ts')).openRequestTarget }),
};

/** Invalid JSON is refused before our code. */
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

/** Pairs of group and name. */
export async function allTargets(): Promise<readonly (readonly [group: string, name: string])[]> {
  const all = await Promise.all(
    Object.entries(groups).map(async ([group, load]) =>
      Object.keys(await load()).map((name) => [group, name] as const),
    ),
  );
  return all.flat();
}

export async function openTarget(group: string, name: string) {
  const target = await (await groups[group]?.())?.[name]?.();
  if (target === undefined) throw new Error(`there is no target ${group}: ${name}`);
  return { ...target, read: (text: string) => readsOrRefuses(() => target.read(text)) };
}
