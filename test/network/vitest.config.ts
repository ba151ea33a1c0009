import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../summary-reporter.ts';

/** Separate from the others: it needs root and network namespaces, and takes half an hour. Run by `npm run test:network`. */
export default defineConfig({
  test: {
    name: 'network',
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/network/**/*.test.ts'],
    globalSetup: ['test/crash/build.ts', 'test/postgres/support/setup.ts'],
    reporters: ['default', new SummaryReporter()],
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
    // Every scenario has its own namespaces and processes, and waits nearly all the time.
    maxWorkers: 3,
    maxConcurrency: 32,
  },
});
