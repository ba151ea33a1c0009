import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** Installing, with all that a suite depends on. */
const LIMIT_MS = 15 * 60_000;

/** One attack of a public suite, on one task of a person's. */
const suiteCaseSchema = z.object({
  id: z.string(),
  /** What the person asks of their agent. */
  prompt: z.string(),
  /** What a tool tells the agent, the attack in it. */
  text: z.string(),
  /** What the attack wants, as the text says it; empty where there is no attack. */
  goal: z.string(),
  /** What the suite takes for its success. */
  calls: z.array(z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) })),
});
export type SuiteCase = z.output<typeof suiteCaseSchema>;

export interface Suite {
  readonly name: string;
  /** As PyPI has it. */
  readonly requirement: string;
  readonly script: string;
}

export const suites: readonly Suite[] = [
  { name: 'AgentDojo, banking', requirement: 'agentdojo==0.1.35', script: 'agentdojo_cases.py' },
  { name: 'FinAgent Red-Team', requirement: 'finagent-redteam==0.2.0', script: 'finagent_cases.py' },
];

/** The cases of each suite; undefined where there is no Python, or its packages can't be had: a line says why. */
export function suiteCases(): ReadonlyMap<Suite, readonly SuiteCase[]> | undefined {
  const python = suitesPython();
  if (python === undefined) return undefined;
  return new Map(
    suites.map((suite) => {
      const script = new URL(suite.script, import.meta.url).pathname;
      const cases = run(python, [script])
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => suiteCaseSchema.parse(JSON.parse(line)));
      return [suite, cases];
    }),
  );
}

/** One that has the suites: named by SUITES_PYTHON, else a virtual environment of its own in the user's cache. */
function suitesPython(): string | undefined {
  const { SUITES_PYTHON, XDG_CACHE_HOME = join(homedir(), '.cache') } = process.env;
  if (SUITES_PYTHON !== undefined) return SUITES_PYTHON;
  const wanted = suites.map(({ requirement }) => requirement);
  const folder = join(XDG_CACHE_HOME, 'trade-agent-tests', wanted.join('+'));
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return python;
  try {
    mkdirSync(folder, { recursive: true });
    run('python3', ['-m', 'venv', folder]);
    run(python, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', ...wanted]);
    return python;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    process.stderr.write(`Skipped: there is no Python with ${wanted.join(' and ')} here: ${error}\n`);
    return undefined;
  }
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...{ encoding: 'utf8', timeout: LIMIT_MS, maxBuffer: 256 * 1024 * 1024 },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}
