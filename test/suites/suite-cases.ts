import { z } from 'zod';
import { pythonWith, runProgram } from '../python-packages.ts';

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
      const cases = runProgram(python, [script])
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => suiteCaseSchema.parse(JSON.parse(line)));
      return [suite, cases];
    }),
  );
}

/** One that has the suites: named by SUITES_PYTHON, else a virtual environment of its own in the user's cache. */
function suitesPython(): string | undefined {
  const wanted = suites.map(({ requirement }) => requirement);
  return process.env.SUITES_PYTHON ?? pythonWith(wanted, { isInstalling: true });
}
