import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../summary-reporter.ts';

/** Apart from the others: it builds a whole server, which takes long the first time. Run by `npm run test:temporal`. */
export default defineConfig({
  test: {
    name: 'temporal',
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/temporal/*.test.ts'],
    globalSetup: ['test/postgres/support/setup.ts', 'test/temporal/setup.ts'],
    reporters: ['default', new SummaryReporter()],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    // One server and its database at a time: each wants a processor of its own.
    fileParallelism: false,
  },
});
