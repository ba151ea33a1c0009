import { defineConfig, type UserWorkspaceConfig } from 'vitest/config';
import { SummaryReporter } from './test/summary-reporter.ts';

const MINUTES = 60_000;

/**
 * Suites that fetch or build other people's programs, need root, or run for as long as they are told:
 * `npm run test:keycloak` and its like run one each (docs/develop/TESTING.md). None is part of `npm run test:all`.
 */
export default defineConfig({
  test: {
    reporters: ['default', new SummaryReporter()],
    testTimeout: 2 * MINUTES,
    hookTimeout: 15 * MINUTES,
    // The network suite's scenarios have their own namespaces and processes, and wait nearly all the time.
    maxWorkers: 3,
    maxConcurrency: 32,
    projects: [
      suite('fga', { hookTimeout: 30 * MINUTES }),
      suite('fuzz', { exclude: ['test/fuzz/corpus.test.ts'], testTimeout: 24 * 60 * MINUTES }),
      suite('keycloak'),
      suite('keycloak-enterprise'),
      suite('kms'),
      suite('mcp-clients', { testTimeout: 5 * MINUTES }),
      suite('network', {
        globalSetup: ['test/crash/build.ts', 'test/postgres/support/setup.ts'],
        testTimeout: 60 * MINUTES,
      }),
      suite('suites'),
      suite('tailnet', { hookTimeout: 90 * MINUTES }),
    ],
  },
});

/** The tests of the folder of that name. */
function suite(name: string, options: UserWorkspaceConfig['test'] = {}): UserWorkspaceConfig & { extends: true } {
  return { extends: true, test: { name, include: [`test/${name}/**/*.test.ts`], ...options } };
}
