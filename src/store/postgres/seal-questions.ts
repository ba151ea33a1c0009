import {
  CLEAR_QUESTIONS,
  type ClearQuestions,
  type QuestionSeal,
  SEAL_QUESTIONS,
  sealedValues,
} from '../rows/question-id.ts';
import { withHead } from './head.ts';
import type { TenantDatabase } from './tenant-database.ts';

/**
 * Seals what rows from before have in clear, once they are over: the others are still polled about by gateways of an older
 * version that run, and lose it with their next change.
 */
export async function sealClearQuestions(database: TenantDatabase, seal: QuestionSeal): Promise<void> {
  // Looked at first: the head is what every proposal waits for.
  const hasSome = () => database.read((unit) => unit.last.one(CLEAR_QUESTIONS));
  while ((await hasSome()) !== undefined) {
    await withHead(database, async (unit) => {
      for (const row of await unit.all<ClearQuestions>(CLEAR_QUESTIONS))
        await unit.run(SEAL_QUESTIONS, sealedValues(row, seal));
    });
  }
}
