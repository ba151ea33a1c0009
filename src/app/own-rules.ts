import { basename } from 'node:path';
import type { RulesFile } from '../check/rules-schema.ts';
import type { OwnFindings, OwnRules, OwnTargets } from '../tools/own-rules.ts';
import { Dec } from '../trading/decimal.ts';
import type { App } from './app.ts';
import { readAccountWithHistory, withCheckStore } from './check/with-check-store.ts';

export type RulesApp = Pick<App, 'clock' | 'gateway' | 'home' | 'profile' | 'requireSession' | 'store'>;

/**
 * Lets the agent read the findings and targets that `trade-agent check` would report. Sends no notices and records no
 * findings. Uses the rules file of the profile's newest schedule that names a rules file, or else the standard rules.
 */
export function createOwnRules(app: RulesApp): OwnRules {
  return {
    findings: () => currentFindings(app),
    targets: async () => currentTargets((await loadOwnRules(app)).file),
  };
}

/** Loads the person's rules, or the standard rules. @throws {TradeAgentError} `invalid_config` for an invalid file */
async function loadOwnRules(app: Pick<App, 'home' | 'profile'>) {
  const [{ name: profile }, { openSchedules }, { loadRules, defaultRulesFile }] = await Promise.all([
    app.profile(),
    import('./schedule/schedule-context.ts'),
    import('../check/load-rules.ts'),
  ]);
  const [named] = (await openSchedules(app))
    .list()
    .filter((schedule) => schedule.profile === profile && schedule.check.rules !== undefined)
    .sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
  const path = named?.check.rules;
  if (path === undefined) return { name: null, file: defaultRulesFile() };
  return { name: basename(path), file: await loadRules(path) };
}

async function currentFindings(app: RulesApp): Promise<OwnFindings> {
  const [{ checkPortfolio }, { symbolSector }] = await Promise.all([
    import('../check/check.ts'),
    import('../trading/listed-symbols.ts'),
  ]);
  const [{ name, file }, gateway] = await Promise.all([loadOwnRules(app), app.gateway()]);
  return withCheckStore(app, async (store, owner) => {
    const input = { gateway, file, localNow: app.clock.now(), suggest: false };
    const { snapshot, memory } = await readAccountWithHistory(store, owner, input);
    const rulesFile = name ?? undefined;
    const { result } = checkPortfolio({
      file,
      rulesFile,
      snapshot,
      memory: await memory.remembered(),
      sectorOf: symbolSector,
    });
    const { rules_file, checked_at, account, findings, ongoing, snoozed, skipped } = result;
    return { rules_file, checked_at, findings, ongoing, snoozed, skipped, simulated: account.simulated };
  });
}

async function currentTargets(file: RulesFile): Promise<OwnTargets | undefined> {
  const [{ targetWeights }, { driftBand, rebalanceOptions }] = await Promise.all([
    import('../check/observe-portfolio.ts'),
    import('../check/suggest.ts'),
  ]);
  const parts = targetWeights(file);
  if (parts.size === 0) return undefined;
  return {
    targets: parts,
    cash: new Dec(file.targets?.cash ?? 0),
    band: driftBand(file),
    options: rebalanceOptions(file),
  };
}
