/** Gives the place back; more than once is as good as once. */
export type Leave = () => void;

/** How many streams of server-sent events each has open, by name: each holds a socket, a timer and a place in every piece of news. */
export interface StreamLimit {
  readonly most: number;
  /** Takes a place; undefined where this one has as many as may be. */
  enter(name: string): Leave | undefined;
}

export function streamLimit(most: number): StreamLimit {
  const open = new Map<string, number>();
  return {
    most,
    enter(name) {
      const count = open.get(name) ?? 0;
      if (count >= most) return undefined;
      open.set(name, count + 1);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        const left = (open.get(name) ?? 1) - 1;
        if (left > 0) open.set(name, left);
        else open.delete(name);
      };
    },
  };
}
