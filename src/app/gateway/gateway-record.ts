import { join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { utcSeconds } from '../../machine/clock.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import type { App } from '../app.ts';
import { openRecord, type RecordStores } from './gateway-database.ts';
import type { GatewayPlaces } from './gateway-key.ts';
import { readKept } from './settings-file.ts';

/** The gateway's record. */
export const auditFile = (folder: string) => join(folder, 'audit.jsonl');

/**
 * Ends a halt, or where there is none what may only reduce, at the gateway's own machine, where its owner's phone can't; also while the gateway runs.
 * @returns since when it was halted, when that ended, and how far trading goes from then on
 * @throws {TradeAgentError} `usage` where there is no halt, `invalid_config` where no gateway has run in the folder
 */
export async function liftHalt(
  { clock, env }: Pick<App, 'clock' | 'env'>,
  places: GatewayPlaces,
  sub: string,
): Promise<{
  readonly ended: Exclude<TradingState, 'active'>;
  readonly haltedAt: string;
  readonly liftedAt: string;
  readonly state: TradingState;
}> {
  return await withRecord(env, places, async ({ halts, audit }) => {
    const { since, state: ended } = await halts.standing(sub, clock.now());
    if (ended === 'active' || since === undefined || !(await halts.lift(sub, since, clock.now()))) {
      throw new TradeAgentError('usage', `trading of ${JSON.stringify(sub)} is not halted`, {
        hint: 'Give the user as the identity provider names them in its tokens ("sub"); "trade-agent whoami" shows it.',
      });
    }
    await audit.moveToFile(auditFile(places.home));
    const now = clock.now();
    const { state } = await halts.standing(sub, now);
    return { ended, haltedAt: utcSeconds(since), liftedAt: utcSeconds(now), state };
  });
}

/**
 * Has orders that a clock which was ahead dated after now count for today, at the gateway's own machine; also while it runs.
 * @returns how many there were, and when the latest of them was dated
 * @throws {TradeAgentError} `invalid_config` where no gateway has run in the folder
 */
export async function recount(
  { clock, env }: Pick<App, 'clock' | 'env'>,
  places: GatewayPlaces,
): Promise<{ readonly orders: number; readonly newest: string | null }> {
  return await withRecord(env, places, async ({ audit, recount: recountOrders }) => {
    const { orders, newest } = await recountOrders(clock.now());
    await audit.moveToFile(auditFile(places.home));
    return { orders, newest: newest === null ? null : utcSeconds(newest) };
  });
}

/** The record and the halts, also while the gateway runs. @throws {TradeAgentError} `invalid_config` where none has run here */
export async function withRecord<T>(
  env: NodeJS.ProcessEnv,
  { home, config }: GatewayPlaces,
  work: (record: RecordStores) => Promise<T>,
): Promise<T> {
  const { stores, close } = await openRecord((await readKept(config)).database, home, env);
  try {
    return await work(stores);
  } finally {
    await close();
  }
}
