/** What is said during a run, kept back until it is known whether anybody should hear it: cron mails every line. */
export interface HeldLines {
  /** Keeps a line back. */
  hold(line: string): void;
  /** Says what was kept back after all, in its order. */
  release(say: (line: string) => void): void;
}

/** Cron's mail is for people. */
const MOST_LINES = 200;

export function heldLines(): HeldLines {
  const lines: string[] = [];
  let left = 0;
  return {
    hold(line) {
      if (lines.length < MOST_LINES) lines.push(line);
      else left++;
    },
    release(say) {
      for (const line of lines.splice(0)) say(line);
      if (left > 0) say(`… and ${left} more lines`);
      left = 0;
    },
  };
}
