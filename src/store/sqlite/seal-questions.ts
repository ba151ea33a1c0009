import type Database from 'better-sqlite3-multiple-ciphers';
import {
  CLEAR_QUESTIONS,
  type ClearQuestions,
  type QuestionSeal,
  SEAL_QUESTIONS,
  sealedValues,
} from '../rows/question-id.ts';

/** Seals what rows from before have in clear, once they are over: the others lose it with their next change. */
export function sealClearQuestions(database: Database.Database, seal: QuestionSeal): void {
  const clear = database.prepare<[], ClearQuestions>(CLEAR_QUESTIONS);
  const update = database.prepare(SEAL_QUESTIONS);
  const some = database.transaction(() => {
    const rows = clear.all();
    for (const row of rows) update.run(sealedValues(row, seal));
    return rows.length;
  });
  while (some.immediate() > 0);
}
