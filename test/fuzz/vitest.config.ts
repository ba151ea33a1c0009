import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../summary-reporter.ts';

/** Apart from the others: it goes on for as long as it is told, by other examples each time. Run by `npm run fuzz`. */
export default defineConfig({
  test: {
    name: 'fuzz',
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/fuzz/**/*.test.ts'],
    exclude: ['test/fuzz/corpus.test.ts'],
    reporters: ['default', new SummaryReporter()],
    testTimeout: 86_400_000,
    hookTimeout: 120_000,
  },
});
