import type { Outcome } from './agent-state.ts';

/** What a model puts right by calling again otherwise, whatever the call was about. */
const correctable = new Set(['usage', 'invalid_order', 'invalid_message', 'unknown_symbol', 'not_found']);

/**
 * What went wrong and was not put right: by a later turn's call of the same tool about the same thing, or, where the call
 * itself was faulty, by the same tool's at all. One that no tool could be called by is put right by any that was.
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
