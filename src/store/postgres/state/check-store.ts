import type { Activity } from '../../../trading/activity.ts';
import type { HighWaterMark } from '../../../trading/portfolio/drawdown.ts';
import { type MarkRow, markOf, rowOf } from '../../check-rows.ts';
import type {
  AccountMemory,
  ActivityCache,
  CheckStore,
  CloseCache,
  FiredState,
  KeptNotice,
  Remembered,
} from '../../check-store.ts';
import { type PackedCloses, packCloses, unpackCloses } from '../../packed-closes.ts';
import type { Unit } from '../tenant-database.ts';
import { type AccountOwner, lockAccount, OF_ACCOUNT } from './account-owner.ts';
import { postgresImportStore } from './import-store.ts';
import { forgetTold, type NoticeKept, postgresNoticeOutbox, waitingByChannel } from './notice-outbox.ts';
import type { PersonDatabase } from './person-database.ts';

/**
 * @param database one person's part of one with the tables of `stateSchema`; its owner closes it
 * @param kept has each notice sent that is kept
 */
export function postgresCheckStore<Notice extends KeptNotice>(
  database: PersonDatabase,
  kept?: NoticeKept,
): CheckStore<Notice> {
  return {
    closes: closeCache(database),
    account: (owner) => accountMemory(database, owner, kept),
    activities: (owner) => activityCache(database, owner),
    imports: (owner) => postgresImportStore(database, owner),
    waitingNotices: () => waitingByChannel(database),
    close: () => undefined,
  };
}

function accountMemory<Notice extends KeptNotice>(
  database: PersonDatabase,
  { profile, account }: AccountOwner,
  kept: NoticeKept | undefined,
): AccountMemory<Notice> {
  const owner = { profile, account };
  return {
    notices: postgresNoticeOutbox(database, owner, kept),
    remembered: () => database.read((unit) => remembered(unit, owner)),
    remember: (states, mark) =>
      database.write(async (unit) => {
        // Two checks of one account at once: what stands is one's or the other's.
        await lockAccount(unit, owner);
        await rememberFired(unit, owner, states);
        await forgetTold(unit, owner);
        if (mark !== undefined) await rememberMark(unit, owner, mark);
      }),
    async proposing(rule, definition, thread, now) {
      await database.write((unit) =>
        unit.last.run(
          `INSERT INTO proposed (profile, account, rule, definition, thread, asked, at)
           VALUES (@profile, @account, @rule, @definition, @thread, false, @now)
           ON CONFLICT (tenant, person, profile, account, rule, definition)
           DO UPDATE SET thread = excluded.thread, asked = false, at = excluded.at`,
          { ...owner, rule, definition, thread, now },
        ),
      );
    },
    async asked(rule, definition) {
      await database.write((unit) =>
        unit.last.run(
          `UPDATE proposed SET asked = true WHERE ${OF_ACCOUNT} AND rule = @rule AND definition = @definition`,
          { ...owner, rule, definition },
        ),
      );
    },
  };
}

async function remembered(unit: Unit, { profile, account }: AccountOwner): Promise<Remembered> {
  const owner = { profile, account };
  const fired = await unit.all<FiredState>(
    `SELECT rule, subject, definition, since FROM fired WHERE ${OF_ACCOUNT}`,
    owner,
  );
  const mark = markOf(
    await unit.one<MarkRow>(
      `SELECT value, at, last_value, last_at, flows FROM high_water WHERE ${OF_ACCOUNT}`,
      owner,
    ),
  );
  const proposed = await unit.all<{ rule: string; definition: string; thread: string; asked: boolean }>(
    `SELECT rule, definition, thread, asked FROM proposed WHERE ${OF_ACCOUNT}`,
    owner,
  );
  return {
    fired: () => fired,
    mark: () => mark,
    proposed: (rule, definition) => {
      const row = proposed.find((one) => one.rule === rule && one.definition === definition);
      return row && { thread: row.thread, asked: row.asked };
    },
  };
}

/** Of thousands of rows few change from one check to the next; only those are written. */
async function rememberFired(
  unit: Unit,
  { profile, account }: AccountOwner,
  states: readonly FiredState[],
): Promise<void> {
  // The last word on a rule and a subject counts, as it would one after the other.
  const last = [...new Map(states.map((state) => [`${state.rule}\n${state.subject}`, state])).values()];
  const given = {
    profile,
    account,
    rules: last.map(({ rule }) => rule),
    subjects: last.map(({ subject }) => subject),
    definitions: last.map(({ definition }) => definition),
    since: last.map(({ since }) => String(since)),
  };
  await unit.run(
    `DELETE FROM fired WHERE ${OF_ACCOUNT} AND NOT EXISTS (
       SELECT FROM unnest(@rules::text[], @subjects::text[]) AS given (rule, subject)
       WHERE given.rule = fired.rule AND given.subject = fired.subject
     )`,
    { profile, account, rules: given.rules, subjects: given.subjects },
  );
  await unit.run(
    `INSERT INTO fired (profile, account, rule, subject, definition, since)
     SELECT @profile, @account, given.*
     FROM unnest(@rules::text[], @subjects::text[], @definitions::text[], @since::bigint[]) AS given
     ON CONFLICT (tenant, person, profile, account, rule, subject)
     DO UPDATE SET definition = excluded.definition, since = excluded.since
     WHERE (fired.definition, fired.since) <> (excluded.definition, excluded.since)`,
    given,
  );
}

async function rememberMark(
  unit: Unit,
  { profile, account }: AccountOwner,
  mark: HighWaterMark,
): Promise<void> {
  await unit.run(
    `INSERT INTO high_water (profile, account, value, at, last_value, last_at, flows)
     VALUES (@profile, @account, @value, @at, @last_value, @last_at, @flows)
     ON CONFLICT (tenant, person, profile, account) DO UPDATE SET value = excluded.value, at = excluded.at,
       last_value = excluded.last_value, last_at = excluded.last_at, flows = excluded.flows`,
    { profile, account, ...rowOf(mark) },
  );
}

function activityCache(database: PersonDatabase, { profile, account }: AccountOwner): ActivityCache {
  const owner = { profile, account };
  return {
    async get() {
      const row = await database.read((unit) =>
        unit.last.one<{ rows: string; whole_at: number }>(
          `SELECT rows, whole_at FROM activities WHERE ${OF_ACCOUNT}`,
          owner,
        ),
      );
      return row && { activities: JSON.parse(row.rows) as Activity[], wholeAt: row.whole_at };
    },
    async put(activities, wholeAt) {
      await database.write((unit) =>
        unit.last.run(
          `INSERT INTO activities (profile, account, rows, whole_at) VALUES (@profile, @account, @rows, @wholeAt)
           ON CONFLICT (tenant, person, profile, account) DO UPDATE SET rows = excluded.rows, whole_at = excluded.whole_at`,
          { ...owner, rows: JSON.stringify(activities), wholeAt },
        ),
      );
    },
  };
}

/** A tenant's: what the market paid is read once for all of its people. */
function closeCache(database: PersonDatabase): CloseCache {
  const getAll = async (symbols: readonly string[]) => {
    const rows = await database.read((unit) =>
      unit.last.all<PackedCloses & { readonly symbol: string }>(
        'SELECT symbol, days, closes FROM closes WHERE symbol = ANY(@symbols)',
        { symbols },
      ),
    );
    return new Map(rows.map(({ symbol, ...row }) => [symbol, unpackCloses(row)]));
  };
  return {
    get: async (symbol) => (await getAll([symbol])).get(symbol),
    getAll,
    async put(symbol, history) {
      await database.write((unit) =>
        unit.last.run(
          `INSERT INTO closes (symbol, days, closes) VALUES (@symbol, @days, @closes)
           ON CONFLICT (tenant, symbol) DO UPDATE SET days = excluded.days, closes = excluded.closes`,
          { symbol, ...packCloses(history) },
        ),
      );
    },
  };
}
