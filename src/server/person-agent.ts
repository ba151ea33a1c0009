import type { Agent } from '../agent/agent.ts';
import type { WireOptions } from '../agent/remote/protocol.ts';
import { createAgentOnStores } from '../agent/run/create-agent.ts';
import type { Session } from '../auth/session/session.ts';
import { missingScopeError } from '../auth/session/token-refresh.ts';
import type { ResolvedProfile } from '../config/profile.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { READ_SCOPES } from '../oauth/scopes.ts';
import { limitToPerson } from '../store/postgres/state/person-database.ts';
import { postgresStateStores } from '../store/postgres/state/state-stores.ts';
import type { StateStores } from '../store/state-stores.ts';
import { defined } from '../values/defined.ts';
import { personAlerts } from './person-alerts.ts';
import type { ServerDeps } from './server-deps.ts';

export function personStores({ database }: Pick<ServerDeps, 'database'>, person: string): StateStores {
  return postgresStateStores(limitToPerson(database, person));
}

/**
 * Creates a person's agent on this server, with the person's own data. Closing the agent leaves the database open.
 * @param scopes the client's scopes, which limit the agent's alerts
 * @throws {TradeAgentError} `usage` for a model that this server does not offer
 */
export function createPersonAgent(
  deps: Pick<ServerDeps, 'database' | 'clock' | 'fetch' | 'env' | 'model' | 'jobs' | 'sessions'>,
  session: Session,
  made: Pick<WireOptions, 'read_only' | 'model' | 'account'> = {},
  scopes: readonly string[] = READ_SCOPES,
): Agent {
  const { clock, fetch, env } = deps;
  const stores = personStores(deps, session.user.sub);
  return createAgentOnStores(
    { stores, reclaimSpace: () => undefined, close: async () => undefined },
    {
      profile: { ...session.profile, model: chooseModel(deps.model, made.model) },
      session,
      clock,
      fetch,
      env,
      ...defined({ account: made.account }),
      readOnly: made.read_only ?? false,
      alerts: personAlerts(deps, session.user.sub, {
        scopes,
        allowOffline: () => deps.sessions.grantOfflineTo(session.user.sub),
      }),
    },
  );
}

/** Returns the model to use: the configured model, which the operator pays for, or the built-in planner. */
function chooseModel(configured: ResolvedProfile['model'], wanted: string | undefined): ResolvedProfile['model'] {
  if (wanted === undefined || wanted === configured.name) return configured;
  if (wanted === 'builtin') return { provider: 'builtin' };
  const { name } = configured;
  throw new TradeAgentError('usage', `this server does not offer the model ${JSON.stringify(wanted)}`, {
    hint: name === undefined ? 'It offers only the built-in planner.' : `Choose ${name}, or builtin.`,
  });
}

/** Limits a session to these scopes, so that a client can't use another client's rights. */
export function limitSessionToScopes(session: Session, scopes: readonly string[]): Session {
  return {
    profile: session.profile,
    user: session.user,
    async fetch(url, init, wanted) {
      const missing = wanted.filter((scope) => !scopes.includes(scope));
      if (missing.length > 0) throw missingScopeError(missing);
      return await session.fetch(url, init, wanted);
    },
  };
}
