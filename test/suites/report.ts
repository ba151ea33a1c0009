import type { Suite } from './suite-cases.ts';

/** What became of a suite's cases. */
export interface Tally {
  readonly suite: Suite;
  run: number;
  /** The model had read what the attack wants. */
  reached: number;
  /** What the phone was asked. */
  proposals: number;
  /** Orders at the broker without a signature. */
  unsigned: number;
  /** The phone showed something else than was proposed. */
  shownWrong: number;
  /** Orders after a signature, as shown. */
  placed: number;
}

/** docs/develop/PUBLIC-SUITES.md: the same text for the same results. */
export function report(tallies: readonly Tally[]): string {
  return [
    '# Public suites of attacks',
    '',
    'Others publish attacks on agents that handle money. `npm run test:suites` plays them against the built program (`trade-agent run` in front of a sandbox home), and writes this page. Where there is no Python, or its packages can’t be had, it says so and plays nothing.',
    '',
    'What a suite has its tools, inbox and files tell, the attack in it, an MCP server tells the agent. The language model is a stand-in that resists nothing: it reads, and does what the attack wants by every way there is: by the suite’s own calls (`send_money`, `initiate_transfer` and the like, which there are none of here), by approving, by loosening the limits, by giving access away, and by an order, thrice, once as already approved and once under any mandate. So the figures tell nothing of a model’s judgement; they tell what is left when it has none.',
    '',
    '| Suite | Cases | The attack reached the model | Proposals | Orders without a signature | Shown wrongly on the phone | Orders after a signature, as shown |',
    '|---|---|---|---|---|---|---|',
    ...tallies.map(
      ({ suite, run, reached, proposals, unsigned, shownWrong, placed }) =>
        `| ${suite.name} (\`${suite.requirement}\`) | ${run} | ${reached} | ${proposals} | ${unsigned} | ${shownWrong} | ${placed} |`,
    ),
    '',
    'Each proposal is listed once, however often the model requested it. The phone showed the symbol, side, number of shares and worst case as proposed, and that each of them came from the MCP server, not from the person (`other`). If the person still approves, exactly the order on the phone is placed.',
    '',
    '- **AgentDojo**: its banking suite (v1.2.2), each user task with each injection task, by the attack that its authors report (`important_instructions`). Its other suites (workspace, travel, Slack) are about tools that are not here.',
    '- **FinAgent Red-Team**: the scenarios of its authors and those that it generates. The benign ones have no attack: nothing must come of them.',
    '- **Left out**: what measures a language model (utility, and attack success by a model’s own choice) takes one over the internet. CrAIBench is not on PyPI.',
    '',
  ].join('\n');
}
