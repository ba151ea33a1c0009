import type { Outcome } from './agent-state.ts';

/** Errors a model corrects by calling again with other arguments. */
const correctable = new Set(['usage', 'invalid_order', 'invalid_message', 'unknown_symbol', 'not_found']);

/**
 * Failures not corrected later in the prompt: by the same tool on the same subject, for faulty arguments by the same
 * tool on anything, for unusable calls by any call that worked.
 */
export function standingOutcomes(
  outcomes: readonly Outcome[],
): (Outcome & Required<Pick<Outcome, 'error'>>)[] {
  return outcomes.flatMap((outcome) => {
    const { error, turn, tool, subject, unusable } = outcome;
    if (error === undefined) return [];
    const corrected = outcomes.some(
      (later) =>
        later.turn > turn &&
        later.error === undefined &&
        (unusable === true ||
          (later.tool === tool &&
            (subject === undefined || later.subject === subject || correctable.has(error.code)))),
    );
    return corrected ? [] : [{ ...outcome, error }];
  });
}
