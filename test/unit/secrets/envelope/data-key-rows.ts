import type { DataKeyRows, WrappedDataKey } from '../../../../src/secrets/envelope/data-keys.ts';

/** Rows of data keys in memory. */
export function dataKeyRows(): DataKeyRows & { readonly kept: ReadonlyMap<string, WrappedDataKey[]> } {
  const kept = new Map<string, WrappedDataKey[]>();
  const of = (tenant: string) => kept.get(tenant) ?? [];
  const byVersion = (tenant: string, version: number) => of(tenant).find((key) => key.version === version);
  return {
    kept,
    newest: async (tenant) => of(tenant).at(-1),
    find: async (tenant, version) => byVersion(tenant, version),
    all: async (tenant) => [...of(tenant)],
    async add(tenant, key) {
      if (byVersion(tenant, key.version) !== undefined) return false;
      kept.set(tenant, [...of(tenant), key]);
      return true;
    },
    async replace(tenant, read, wrapped) {
      if (byVersion(tenant, read.version)?.wrapped !== read.wrapped) return false;
      kept.set(
        tenant,
        of(tenant).map((key) => (key.version === read.version ? { ...key, wrapped } : key)),
      );
      return true;
    },
  };
}
