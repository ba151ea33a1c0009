import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3-multiple-ciphers';
import { type AuditVerdict, verifyAuditFile } from '../../approval/audit-chain.ts';
import { utcSeconds } from '../../machine/clock.ts';
import { sqliteRecord } from '../../store/sqlite/gateway-stores.ts';
import { recountOrders } from '../../store/sqlite/order-recount.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { TradingState } from '../../trading/trading-state.ts';
import type { App } from '../app.ts';

/** How long the running gateway may hold its database, milliseconds. */
const BUSY_MS = 10_000;

const auditFile = (folder: string) => join(folder, 'audit.jsonl');

/**
 * Looks for the first line of the gateway's record that was changed, removed or added; also while the gateway runs.
 * @throws {TradeAgentError} `invalid_config` where no gateway has run in the folder
 */
export async function verifyRecord(folder: string): Promise<AuditVerdict & { readonly file: string }> {
  const file = auditFile(folder);
  return await withGatewayDatabase(folder, async (database) => ({
    file,
    ...(await verifyAuditFile(file, sqliteRecord(database).audit)),
  }));
}

/**
 * Ends a halt, or where there is none what may only reduce, at the gateway's own machine, where its owner's phone can't; also while the gateway runs.
 * @returns since when it was halted, when that ended, and how far trading goes from then on
 * @throws {TradeAgentError} `usage` where there is no halt, `invalid_config` where no gateway has run in the folder
 */
export async function liftHalt(
  { clock }: Pick<App, 'clock'>,
  folder: string,
  sub: string,
): Promise<{
  readonly ended: Exclude<TradingState, 'active'>;
  readonly haltedAt: string;
  readonly liftedAt: string;
  readonly state: TradingState;
}> {
  return await withGatewayDatabase(folder, async (database) => {
    const { halts, audit } = sqliteRecord(database);
    const { since, state: ended } = await halts.standing(sub, clock.now());
    if (ended === 'active' || since === undefined || !(await halts.lift(sub, since, clock.now()))) {
      throw new TradeAgentError('usage', `trading of ${JSON.stringify(sub)} is not halted`, {
        hint: 'Give the user as the identity provider names them in its tokens ("sub"); "trade-agent whoami" shows it.',
      });
    }
    await audit.moveToFile(auditFile(folder));
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
  { clock }: Pick<App, 'clock'>,
  folder: string,
): Promise<{ readonly orders: number; readonly newest: string | null }> {
  return await withGatewayDatabase(folder, async (database) => {
    const { audit } = sqliteRecord(database);
    const { orders, newest } = recountOrders(database, clock.now());
    await audit.moveToFile(auditFile(folder));
    return { orders, newest: newest === null ? null : utcSeconds(newest) };
  });
}

async function withGatewayDatabase<T>(
  folder: string,
  work: (database: Database.Database) => Promise<T>,
): Promise<T> {
  const file = join(folder, 'gateway.db');
  if (!existsSync(file)) {
    throw new TradeAgentError('invalid_config', `no gateway has run in ${folder}: ${file} is not there`, {
      hint: "Name the gateway's own folder with --home.",
      details: { file },
    });
  }
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  const database = new Database(file, { timeout: BUSY_MS, fileMustExist: true });
  try {
    return await work(database);
  } finally {
    database.close();
  }
}
