import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run with one plain line, `Tests: N passed, N failed, N skipped`, for people and for scripts that read logs. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      const before = counts.failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') counts[state]++;
      }
      // A file that failed without a failed test: it could not be loaded, or its set-up went wrong.
      if (!module.ok() && counts.failed === before) counts.failed++;
    }
    counts.failed += errors.length;
    const line = `Tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    // After the default reporter's own summary, which is printed later in the same tick.
    process.once('exit', () => process.stdout.write(`\n${line}\n`));
  }
}
