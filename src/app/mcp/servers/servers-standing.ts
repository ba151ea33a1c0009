import type { ServerStanding } from '../../../mcp/client/server-registry.ts';
import type { AgentOptions, App } from '../../app.ts';
import { withModel } from '../../chosen-model.ts';

/** How the profile's servers stand in this process; nothing is asked of them. */
export interface ServersStanding {
  /** Why none is used: the built-in planner answers, or nothing but reading is allowed. */
  readonly unused: 'planner' | 'read-only' | undefined;
  readonly servers: readonly ServerStanding[];
}

export async function serversStanding(
  app: Pick<App, 'profile' | 'foreignTools'>,
  options: AgentOptions,
): Promise<ServersStanding> {
  const [profile, registry] = await Promise.all([app.profile(), app.foreignTools()]);
  const isPlanner = withModel(profile, options).model.provider === 'builtin';
  return {
    unused: isPlanner ? 'planner' : options.readOnly === true ? 'read-only' : undefined,
    servers: registry?.standing() ?? [],
  };
}
