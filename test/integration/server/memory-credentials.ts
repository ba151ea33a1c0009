import { assertValueLengths, matchesExpected, pickValues } from '../../../src/secrets/credential-values.ts';
import type { PersonCredentialStore } from '../../../src/server/sessions/exchanging-sessions.ts';

/** As in a server's database. */
export const LONGEST = 16_384;

/** People's credentials in memory, for servers that have no database: by the same contract as any other. */
export function memoryCredentials(): (person: string) => PersonCredentialStore {
  const people = new Map<string, Map<string, string>>();
  const locks = new Map<string, Promise<unknown>>();
  return (person) => {
    const kept = () => people.get(person) ?? people.set(person, new Map()).get(person) ?? new Map();
    return {
      kind: 'database',
      notice: undefined,
      get: async (names) => pickValues(Object.fromEntries(kept()), names),
      async set(values, expected) {
        assertValueLengths(values, LONGEST);
        if (!matchesExpected(Object.fromEntries(kept()), expected)) return false;
        for (const [name, value] of Object.entries(values)) kept().set(name, value);
        return true;
      },
      async delete(names, expected) {
        if (!matchesExpected(Object.fromEntries(kept()), expected)) return false;
        for (const name of names) kept().delete(name);
        return true;
      },
      unlock: async () => undefined,
      erase: async () => void people.delete(person),
      probe: async () => undefined,
      async exclusively(purpose, work, signal) {
        const name = JSON.stringify([person, purpose]);
        const before = locks.get(name) ?? Promise.resolve();
        const turn = Promise.withResolvers<void>();
        const calledOff = Promise.withResolvers<never>();
        calledOff.promise.catch(() => undefined);
        signal?.addEventListener('abort', () => calledOff.reject(signal.reason), { once: true });
        locks.set(
          name,
          before.then(() => turn.promise),
        );
        try {
          signal?.throwIfAborted();
          await Promise.race([before, calledOff.promise]);
          return await work();
        } finally {
          turn.resolve();
        }
      },
    };
  };
}
