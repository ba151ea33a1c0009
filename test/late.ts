/** An object that a hook makes before the tests run, looked up at each use. */
export const late = <T extends object>(get: () => T | undefined): T =>
  new Proxy({} as T, { get: (_, name) => Reflect.get(get() ?? {}, name) });
