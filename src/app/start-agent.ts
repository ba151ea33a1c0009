import { join } from 'node:path';
import type { Agent } from '../agent/agent.ts';
import { modelServerUrl } from '../agent/model/model-server.ts';
import { createAgent, createAgentOnStores } from '../agent/run/create-agent.ts';
import { SANDBOX_PROFILE } from '../config/resolve-profile.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { ensurePrivateFolder } from '../machine/directories.ts';
import { getOrCreateDatabaseKey } from '../secrets/database-key.ts';
import { loadModelKey } from '../secrets/model-key.ts';
import { openMemoryStateDatabase } from '../store/sqlite/state-database.ts';
import { createClosableSqliteStateStores } from '../store/sqlite/state-stores.ts';
import type { Alerts } from '../tools/alerts.ts';
import type { OwnRules } from '../tools/own-rules.ts';
import { defined } from '../values/defined.ts';
import type { AgentOptions, App } from './app.ts';
import { withModelOptions } from './chosen-model.ts';

/** Creates the profile's agent. An agent that runs on a server stores nothing on this machine. */
export async function startAgent(app: App, options: AgentOptions): Promise<Agent> {
  if ((await app.profile()).server !== undefined) return await startRemoteAgent(app, options);
  const [profile, home, store, session, account] = await Promise.all([
    app.profile(),
    app.home(),
    app.store(),
    app.session(),
    app.account(),
  ]);
  const { readOnly = false, dryRun = false } = options;
  const chosen = withModelOptions(profile, options);
  const isUnused = chosen.model.provider === 'builtin' || readOnly || dryRun;
  const foreign = isUnused ? undefined : await app.foreignTools();
  const settings = {
    profile: chosen,
    session,
    ...defined({ account }),
    clock: app.clock,
    readOnly,
    dryRun,
    apiKey: await loadModelKey(store, modelServerUrl(chosen.model)),
    env: app.env,
    ...defined({ foreign }),
    alerts: lazyAlerts(app),
    fetch: app.fetch,
    ownRules: lazyOwnRules(app),
    imported: async (number: () => Promise<string>) =>
      (await import('./portfolio/account-history.ts')).createImportedActivitiesReader(app)(number),
  };
  if (dryRun) return createAgentOnStores(createClosableSqliteStateStores(openMemoryStateDatabase()), settings);
  const stateDb = join(ensurePrivateFolder(home.data), stateFile(profile.name));
  return createAgent({ ...settings, stateDb, databaseKey: await getOrCreateDatabaseKey(store) });
}

/** Creates an agent on the server. @throws {TradeAgentError} `login_required`; `usage` if a model URL is given */
async function startRemoteAgent(app: App, options: AgentOptions): Promise<Agent> {
  const { readOnly = false, dryRun = false, model, baseUrl } = options;
  if (dryRun) {
    throw new TradeAgentError('usage', '--dry-run can’t be used here, because the agent runs on a server', {
      hint: "Use a profile whose agent runs on this machine. To check an order: trade-agent policy check 'buy 5 AAPL'.",
    });
  }
  if (baseUrl !== undefined) {
    throw new TradeAgentError(
      'usage',
      '--base-url can’t be used here, because the agent’s server chooses the model server',
      {
        hint: 'Remove --base-url. --model chooses between the server’s model and builtin.',
      },
    );
  }
  const [session, account] = await Promise.all([app.requireSession(), app.account()]);
  const { createRemoteAgent } = await import('../agent/remote/remote-agent.ts');
  return createRemoteAgent({ session, clock: app.clock, readOnly, ...defined({ model, account }) });
}

/** Returns the path of a profile's state file. Each profile's file is encrypted with a different key. */
function stateFile(profile: string): string {
  return profile === SANDBOX_PROFILE ? 'state.db' : `state.${profile}.db`;
}

function lazyAlerts(app: App): Alerts {
  const load = async () => (await import('./alerts.ts')).createLocalAlerts(app);
  return {
    list: async () => (await load()).list(),
    add: async (alert, most) => (await load()).add(alert, most),
    remove: async (which) => (await load()).remove(which),
    scheduleChecks: async (every) => (await load()).scheduleChecks(every),
  };
}

function lazyOwnRules(app: App): OwnRules {
  const load = async () => (await import('./own-rules.ts')).createOwnRules(app);
  return { findings: async () => (await load()).findings(), targets: async () => (await load()).targets() };
}
