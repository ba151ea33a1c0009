import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../summary-reporter.ts';

/** Apart from the others: it builds a whole server, which takes minutes the first time. Run by `npm run test:fga`. */
export default defineConfig({
  test: {
    name: 'fga',
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/fga/**/*.test.ts'],
    reporters: ['default', new SummaryReporter()],
    testTimeout: 60_000,
    hookTimeout: 1_800_000,
  },
});
