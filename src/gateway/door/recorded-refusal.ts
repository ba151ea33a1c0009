import type { ProblemCode } from '../../errors/problem-codes.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Problem } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';

/** A first result that was a refusal, said again. */
export class ReplayedRefusal extends Refusal {
  override name = 'ReplayedRefusal';
}

/** The refusal that a recorded problem stands for, said again. */
export function recordedRefusal(problem: Problem): Refusal {
  const { type: _type, title: _title, status, code, detail, hint, fields, ...members } = problem;
  // The gateway wrote it: one of an earlier version is said again all the same.
  return new Refusal(status, code as ProblemCode, detail ?? '', {
    members,
    ...defined({ hint, fields }),
  });
}
