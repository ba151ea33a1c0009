import type { Io } from '../terminal/io.ts';

/** What a run said, kept back until it is known whether anybody should hear it: cron mails every line. */
export interface CapturedTalk {
  readonly io: Io;
  /** Says it after all, in its order. */
  tell(): void;
}

/** Cron's mail is for people. */
const MOST_LINES = 200;

/** Holds back what would go to stderr. @param io the real one */
export function captureTalk(io: Io): CapturedTalk {
  const lines: string[] = [];
  let left = 0;
  return {
    io: {
      ...io,
      talk: (line) => {
        if (lines.length < MOST_LINES) lines.push(line);
        else left++;
      },
    },
    tell() {
      for (const line of lines.splice(0)) io.talk(line);
      if (left > 0) io.talk(`… and ${left} more lines`);
      left = 0;
    },
  };
}
