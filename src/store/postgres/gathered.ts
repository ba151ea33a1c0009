/**
 * Looks up by id, and what is asked for within one turn of the event loop at once: each asks once, however many want it, and all
 * together in one question. It goes out after the last of them asked, so none is answered as of before.
 * @param look finds those that are there; its rejection is that of all who asked
 */
export function gathered<T>(
  look: (ids: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): (id: string) => Promise<T | undefined> {
  let turn: { readonly ids: Set<string>; readonly found: Promise<ReadonlyMap<string, T>> } | undefined;
  const begin = () => {
    const ids = new Set<string>();
    const found = new Promise<void>((resolve) => void setImmediate(resolve)).then(() => {
      turn = undefined;
      return look([...ids]);
    });
    return { ids, found };
  };
  return async (id) => {
    turn ??= begin();
    turn.ids.add(id);
    return (await turn.found).get(id);
  };
}
