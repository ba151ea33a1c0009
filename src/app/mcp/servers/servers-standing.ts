import type { ServerStanding } from '../../../mcp/client/server-registry.ts';
import type { AgentOptions, App } from '../../app.ts';
import { withModel } from '../../chosen-model.ts';

/** How the profile's servers stand in this process; nothing is asked of them. */
export interface ServersStanding {
  /** False where the built-in planner answers, which uses none. */
  readonly used: boolean;
  readonly servers: readonly ServerStanding[];
}

export async function serversStanding(
  app: Pick<App, 'profile' | 'foreignTools'>,
  options: AgentOptions,
): Promise<ServersStanding> {
  const [profile, registry] = await Promise.all([app.profile(), app.foreignTools()]);
  return {
    used: withModel(profile, options).model.provider !== 'builtin',
    servers: registry?.standing() ?? [],
  };
}
