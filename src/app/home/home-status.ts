import { utcSeconds } from '../../machine/clock.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import type { App } from '../app.ts';
import { homeFiles } from './home-files.ts';
import { withHome } from './open-home.ts';
import { readHomeReady } from './ready-file.ts';
import { type ListedUser, listedUsers } from './users.ts';

export interface HomeStatus {
  readonly folder: string;
  readonly address: string;
  readonly environment: 'paper' | 'live';
  /** By which process, and where it listens; null where it is not served. */
  readonly served: { readonly pid: number; readonly url: string } | null;
  readonly signature: 'required' | 'live' | 'off';
  readonly users: readonly (ListedUser & {
    /** Proposals that nothing has come of yet. */
    readonly open: number;
    /** How many browsers are rung by push. */
    readonly pushes: number;
    /** How far their trading goes, since when, and when that ends by itself. */
    readonly trading: {
      readonly state: TradingState;
      readonly since: string | null;
      readonly until: string | null;
    };
  })[];
}

/** How a home stands, by what is in its folder. @throws {TradeAgentError} `invalid_config` */
export async function homeStatus(app: Pick<App, 'clock'>, folder: string): Promise<HomeStatus> {
  return await withHome(app, folder, async (home) => {
    const { settings, gateway, stores } = home;
    const ready = readHomeReady(homeFiles(folder).ready);
    const users = await Promise.all(
      (await listedUsers(home)).map(async (user) => {
        const { state, since, until } = await stores.halts.standing(user.username, app.clock.now());
        return {
          ...user,
          open: (await stores.proposals.list({ sub: user.username, state: 'open' })).length,
          pushes: home.pushes.of(user.username).length,
          trading: { state, since: timeOf(since), until: timeOf(until) },
        };
      }),
    );
    return {
      folder,
      address: settings.address,
      environment: gateway.environment,
      served: ready === undefined ? null : { pid: ready.pid, url: ready.url },
      signature: gateway.approval.signature,
      users,
    };
  });
}

function timeOf(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : utcSeconds(epochMs);
}
