import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects this process's garbage, with what finalizers and weak references let go of meanwhile. */
export async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let times = 0; times < 4; times++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** How many objects of a class are still held by somebody in this process. */
export async function held(kind: abstract new (...parts: never[]) => unknown): Promise<number> {
  await collect();
  return queryObjects(kind as never, { format: 'count' }) as unknown as number;
}
