import { defineConfig } from 'vitest/config';
import { SummaryReporter } from '../summary-reporter.ts';

/** Apart from the others: it installs a gigabyte and a half of clients, and takes minutes. Run by `npm run test:mcp-clients`. */
export default defineConfig({
  test: {
    name: 'mcp-clients',
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/mcp-clients/**/*.test.ts'],
    reporters: ['default', new SummaryReporter()],
    testTimeout: 300_000,
    hookTimeout: 900_000,
  },
});
