/** How much of an answer that is still being written will not change any more. */
export interface SplitAnswer {
  /** Whole lines, ready to be printed for good; ends with a line feed unless empty. */
  readonly settled: string;
  /** What may still change: the line being written, or the table or code block it belongs to. */
  readonly open: string;
}

/**
 * Splits the answer as far as it is written. A table is settled once a line follows that is none of it, since each of
 * its rows may change the widths of all columns; a code block once it is closed. Everything else is settled by its
 * line's end, so that what is on the screen is written once and never again.
 */
export function splitAnswer(answer: string): SplitAnswer {
  let settled = 0;
  let fence: string | undefined;
  let at = 0;
  for (;;) {
    const end = answer.indexOf('\n', at);
    if (end === -1) break;
    const start = at;
    const line = answer.slice(start, end).trim();
    at = end + 1;
    const mark = /^(```+|~~~+)/.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence)) fence = undefined;
      if (fence === undefined) settled = at;
    } else if (mark !== undefined) {
      fence = mark;
      // A table right above the block ends with it.
      settled = start;
    } else if (!line.startsWith('|')) settled = at;
  }
  // The table before the line being written is whole, if that line is none of it.
  const rest = answer.slice(at);
  if (fence === undefined && rest.trim() !== '' && !rest.trimStart().startsWith('|')) settled = at;
  return { settled: answer.slice(0, settled), open: answer.slice(settled) };
}
