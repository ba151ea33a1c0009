import { type CredentialName, type CredentialStore, credentialNames } from './credential-store.ts';
import { pickValues } from './credential-values.ts';

/**
 * Reads the named values in one call, because each keychain call starts a process. Returns a store that caches them.
 * `get` returns cached values unless `fresh` is set. Values that this process writes are visible immediately.
 */
export async function prefetchCredentials(
  store: CredentialStore,
  names: readonly CredentialName[],
): Promise<CredentialStore> {
  const read: Partial<Record<CredentialName, string | undefined>> = await store.get(names);
  const remember = (values: Partial<Record<CredentialName, string | undefined>>) => {
    Object.assign(read, values);
  };
  return {
    kind: store.kind,
    notice: store.notice,
    async get(wanted, options) {
      if (!options?.fresh && wanted.every((name) => Object.hasOwn(read, name))) return pickValues(read, wanted);
      const values = await store.get(wanted, options);
      remember(values);
      return values;
    },
    async set(values, expected) {
      const changed = await store.set(values, expected);
      if (changed) remember(values);
      return changed;
    },
    async delete(wanted, expected) {
      const changed = await store.delete(wanted, expected);
      if (changed) remember(Object.fromEntries(wanted.map((name) => [name, undefined])));
      return changed;
    },
    probe: () => store.probe(),
    unlock: () => store.unlock(),
    async erase() {
      await store.erase();
      remember(Object.fromEntries(credentialNames.map((name) => [name, undefined])));
    },
    exclusively: (purpose, work, signal) => store.exclusively(purpose, work, signal),
  };
}
