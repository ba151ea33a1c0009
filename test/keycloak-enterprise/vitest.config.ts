import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../summary-reporter.ts';

/** Apart from the others: it fetches a whole identity provider, and takes minutes. Run by `npm run test:keycloak-enterprise`. */
export default defineConfig({
  test: {
    name: 'keycloak-enterprise',
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/keycloak-enterprise/**/*.test.ts'],
    reporters: ['default', new SummaryReporter()],
    testTimeout: 120_000,
    hookTimeout: 900_000,
  },
});
