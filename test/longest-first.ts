import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** Vitest begins with large files; these are small ones that take long, and would be waited for at the end. */
const LONG = [
  'test/e2e/scripts.test.ts',
  // It waits for a lease to end.
  'test/crash/stopped.test.ts',
  'test/integration/notify/notices.test.ts',
  'test/integration/cli/messages.test.ts',
  'test/integration/web/dashboard-live.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(name));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
