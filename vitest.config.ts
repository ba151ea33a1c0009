import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type UserWorkspaceConfig } from 'vitest/config';
import { partOf } from './test/fast-suite.ts';
import { LongestFirst } from './test/longest-first.ts';
import { SHIPPED, shippedModule } from './test/shipped/modules.ts';
import { SummaryReporter } from './test/summary-reporter.ts';

const { SHIPPED_TESTS, SUITE } = process.env;

/**
 * Integration tests that share no process with others: they mock a module, look at memory, have an issuer lie (the
 * program remembers what an issuer said, and a later one may have its port), or run others' tests once more another way.
 */
const ALONE = [
  'test/integration/agent/remote/as-here.test.ts',
  'test/integration/auth/**/*.test.ts',
  'test/integration/approval/lying-asking.test.ts',
  'test/integration/gateway/worst-case*.test.ts',
  'test/integration/agent/history-growth.test.ts',
  'test/integration/mcp/hostile.test.ts',
];

/** Those that hold a page or a terminal to a second: they have the processors once all others are through. */
const TIMED = [
  'test/integration/cli/live.test.ts',
  'test/integration/home/card-paint.test.ts',
  'test/integration/web/dashboard-live.test.ts',
  'test/integration/web/page-table.test.ts',
];

type Project = UserWorkspaceConfig & {
  extends: true;
  test: { name: string; include: string[]; exclude?: string[] };
};

/** All projects, or by `SUITE` the part of their files that `npm test` runs (`fast`), or that it leaves out (`rest`). */
function inSuite(projects: Project[]): Project[] {
  if (SUITE === undefined) return projects;
  if (SUITE !== 'fast' && SUITE !== 'rest') throw new Error(`SUITE is fast or rest, not ${SUITE}`);
  return projects
    .map((project) => ({
      ...project,
      test: { ...project.test, include: partOf(SUITE, project.test), exclude: [] },
    }))
    .filter(({ test }) => test.include.length > 0);
}

/**
 * One command for all. `unit` touches no I/O beyond temporary files; `integration` starts real servers on loopback;
 * `shipped` is the same tests on the sources as they are bundled, with the dependencies as they are shipped; `e2e` runs the built program (dist/) as a user would; `crash` kills processes of a build with failpoints;
 * `postgres` starts a real PostgreSQL, where there is one; `mcp` has the protocol's own conformance suite look at the MCP endpoint; `chaos` plays random histories, and loads one gateway with proposals.
 */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A condition that is waited for comes late where the machine is busy, not wrong.
    expect: { poll: { timeout: 10_000 } },
    // More than processors: much of a test's time is waiting for a process or a server of its own, and most of it in what
    // `npm test` leaves out. A percentage is held to their number.
    maxWorkers: Math.ceil(availableParallelism() * (SUITE === 'rest' ? 2 : 1.5)),
    sequence: { sequencer: LongestFirst },
    reporters: ['default', new SummaryReporter()],
    alias: [
      {
        find: /^fast-check$/,
        replacement: fileURLToPath(new URL('test/seeded-fast-check.ts', import.meta.url)),
      },
    ],
    projects: inSuite([
      {
        extends: true,
        // Hundreds of small files: loading the sources anew for each took longer than their tests.
        test: { name: 'unit', include: ['test/unit/**/*.test.{ts,tsx}'], isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.{ts,tsx}', 'test/fuzz/corpus.test.ts'],
          exclude: [...ALONE, ...TIMED],
          // For the same reason: most load a server and a client of every kind.
          isolate: false,
          setupFiles: ['test/integration/put-back.ts'],
        },
      },
      { extends: true, test: { name: 'integration-alone', include: ALONE } },
      { extends: true, test: { name: 'integration-timed', include: TIMED, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        plugins: [
          {
            name: 'shipped',
            enforce: 'pre',
            resolveId: (specifier, importer) =>
              importer === undefined ? undefined : shippedModule(specifier, importer),
          },
        ],
        test: {
          name: 'shipped',
          include: [
            ...(SHIPPED_TESTS === 'all'
              ? ['test/integration/**/*.test.{ts,tsx}']
              : // One of each that uses a dependency which is changed for the bundle; the rest is played in e2e.
                [
                  'test/integration/agent/{account-tools,asks,cut-off,messages,openai-model,reconcile,resume,run,sandbox,threads}.test.ts',
                  'test/integration/gateway/{alpaca-contract,approved-details,messages,use-once}.test.ts',
                ]),
            'test/shipped/**/*.test.ts',
          ],
          globalSetup: ['test/shipped/build.ts'],
          // Among all there are those of integration-alone.
          isolate: SHIPPED_TESTS === 'all',
          setupFiles: ['test/integration/put-back.ts'],
          env: { TRADE_AGENT_SHIPPED: '1' },
          server: { deps: { external: [new RegExp(`/${SHIPPED}/`)] } },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.{ts,tsx}'],
          testTimeout: 60_000,
          // Shell sessions beside each other: each starts one process after the other, beside the servers that they share.
          maxConcurrency: availableParallelism() + 1,
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          globalSetup: ['test/crash/build.ts', 'test/postgres/support/setup.ts'],
          // Each test waits for cases that all are under way from the start.
          testTimeout: 3_600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: ['test/postgres/**/*.test.ts'],
          globalSetup: ['test/postgres/support/setup.ts'],
        },
      },
      {
        extends: true,
        // One file after the other: each measures how long an order takes on the whole machine.
        test: { name: 'fleet', include: ['test/fleet/**/*.test.ts'], maxWorkers: 1 },
      },
      { extends: true, test: { name: 'mcp', include: ['test/mcp/**/*.test.ts'] } },
      {
        extends: true,
        // Its time is simulated: what a busy machine takes for it is no part of what is shown.
        test: { name: 'chaos', include: ['test/{chaos,load}/**/*.test.ts'], testTimeout: 600_000 },
      },
    ]),
  },
});
