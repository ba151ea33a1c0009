import type { Hono } from 'hono';
import type { Door } from '../../gateway/door/door.ts';
import type { Clock } from '../../machine/clock.ts';
import type { ServerParts } from '../../server/server-parts.ts';
import type { ServerSettings } from '../../server/settings/server-settings.ts';
import type { DueRuns } from '../../store/run-store.ts';
import { type AddressPlace, readDatabaseAddress } from '../gateway/gateway-database.ts';
import type { ServerPlaces } from './server-places.ts';

export interface OpenedServer {
  readonly parts: ServerParts;
  readonly due: DueRuns;
  readonly paced: () => Promise<void>;
  readonly routes: readonly ((app: Hono, door: Door, parts: ServerParts) => void)[];
  close(): Promise<void>;
}

interface Surroundings {
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly tell: (line: string) => void;
}

/**
 * What a server and a worker have in common, opened by their settings.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function openServer(
  settings: ServerSettings,
  { home, env }: Pick<ServerPlaces, 'home'> & { readonly env: NodeJS.ProcessEnv },
  { clock, fetch, tell }: Surroundings,
): Promise<OpenedServer> {
  const { tenant, ...place } = settings.database;
  const address = readDatabaseAddress(place as AddressPlace, home, env);
  const [store, { pgBossQueue }] = await Promise.all([
    import('../../store/postgres/server-database.ts'),
    import('../../jobs/pg-boss/pg-boss-queue.ts'),
  ]);
  throw new Error(`${address}${store}${pgBossQueue}${clock}${fetch}${tell}${tenant}`);
}
