import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Case } from './generated.ts';

/** Reads the literals only: nothing of the package is run. */
const program = `
import ast, json, pathlib, sys
cases = []
for name in ('golden', 'scenarios', 'dataset'):
    for node in ast.walk(ast.parse((pathlib.Path(sys.argv[1]) / 'finagent_evals' / 'cases' / (name + '.py')).read_text())):
        if isinstance(node, ast.Dict):
            try:
                case = ast.literal_eval(node)
            except ValueError:
                continue
            said = case.get('input', case.get('query'))
            if isinstance(said, str):
                cases.append({'said': said, 'tools': case.get('expected_tools') or []})
print(json.dumps(cases))
`;

const ours: Readonly<Record<string, string>> = {
  get_portfolio_snapshot: 'get_portfolio get_performance get_risk',
  get_market_data: 'get_quote get_bars',
  get_trade_history: 'list_orders get_activities get_realized_gains get_performance',
  lookup_symbol: 'search_symbols get_asset',
  guardrails_check: 'check_rules get_risk',
  compliance_check: 'check_wash_sale get_tax_lots get_realized_gains',
};

/**
 * The cases of finagent-evals (Apache-2.0, by other authors), downloaded from PyPI into a temporary folder. It asks for
 * no order: every proposal is a misreading. Undefined, with a line on stderr, where it cannot be had.
 */
export function finagentCases(): Case[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'finagent-evals-'));
  const run = (...args: string[]) => {
    const { status, stdout, stderr, error } = spawnSync('python3', args, { encoding: 'utf8', timeout: 120_000 });
    if (error !== undefined || status !== 0) throw error ?? new Error(stderr.trim().split('\n').at(-1));
    return stdout;
  };
  try {
    const target = ['--no-deps', '--only-binary', ':all:', '--target', folder, 'finagent-evals==0.1.1'];
    run('-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...target);
    const schema = z.array(z.object({ said: z.string(), tools: z.array(z.string()) }));
    return schema.parse(JSON.parse(run('-c', program, folder))).map(({ said, tools }) => {
      const wanted = tools.flatMap((tool) => ours[tool] ?? []);
      const isWatched = tools.includes('add_to_watchlist');
      const expected = isWatched || wanted.length === 0 ? 'none' : `read ${wanted.join(' ')}`;
      return { set: 'finagent-evals', language: 'English', said, expected, isHeldOut: false };
    });
  } catch (error) {
    process.stderr.write(`Skipped finagent-evals, which pip could not install: ${(error as Error).message}\n`);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
