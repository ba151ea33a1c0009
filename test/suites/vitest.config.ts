import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../summary-reporter.ts';

/** Apart from the others: it wants Python, and packages of PyPI. Run by `npm run test:suites`. */
export default defineConfig({
  test: {
    name: 'suites',
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/suites/**/*.test.ts'],
    reporters: ['default', new SummaryReporter()],
    testTimeout: 120_000,
    hookTimeout: 900_000,
  },
});
