import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../summary-reporter.ts';

/** Apart from the others: it wants Python and moto. Run by `npm run test:kms`. */
export default defineConfig({
  test: {
    name: 'kms',
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/kms/**/*.test.ts'],
    reporters: ['default', new SummaryReporter()],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
