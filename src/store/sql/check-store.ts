import type { Activity } from '../../trading/activity.ts';
import type { HighWaterMark } from '../../trading/portfolio/drawdown.ts';
import type { PriceHistory } from '../../trading/portfolio/price-history.ts';
import { type HighWaterMarkRow, toHighWaterMark, toHighWaterMarkRow } from '../check-rows.ts';
import type {
  AccountCheckState,
  CheckedAccount,
  CheckSnapshot,
  CheckStore,
  ImportedFile,
  ImportStore,
  RuleFiring,
  StoredNotice,
} from '../check-store.ts';
import {
  CHECKED_ACCOUNT_CONDITION,
  createNoticeOutbox,
  forgetNotifiedChannels,
  type NoticeWriter,
} from './notice-outbox.ts';
import { all, type Dialect, lock, one, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';

const lockAccount = ({ profile, account }: CheckedAccount) => lock('checks', profile, account);

/** @param keep runs work that stores notices, in a transaction that may also make other changes */
export function createCheckStore<Notice extends StoredNotice>(
  database: SqlTransactions,
  keep: NoticeWriter = async (work) => void (await database.write(work)),
): Omit<CheckStore<Notice>, 'close'> {
  const { person } = database.dialect;
  return {
    closes: closeCache(database),
    account: ({ profile, account }) => accountMemory(database, { profile, account }, keep),
    activities: ({ profile, account }) => ({
      async get() {
        const row = await database.one<{ rows: string; whole_at: number }>(
          `SELECT rows, whole_at FROM activities WHERE ${CHECKED_ACCOUNT_CONDITION}`,
          { profile, account },
        );
        return row && { activities: JSON.parse(row.rows) as Activity[], wholeAt: row.whole_at };
      },
      async put(activities, wholeAt) {
        await database.run(
          `INSERT INTO activities (profile, account, rows, whole_at) VALUES (@profile, @account, @rows, @wholeAt)
           ON CONFLICT (${person}profile, account) DO UPDATE SET rows = excluded.rows, whole_at = excluded.whole_at`,
          { profile, account, rows: JSON.stringify(activities), wholeAt },
        );
      },
    }),
    imports: ({ profile, account }) => importStore(database, { profile, account }),
    async waitingNotices() {
      const rows = await database.all<{ channel: string; count: number }>(
        'SELECT channel, count(*) AS count FROM notice GROUP BY channel',
      );
      return new Map(rows.map(({ channel, count }) => [channel, count]));
    },
  };
}

function accountMemory<Notice extends StoredNotice>(
  database: SqlTransactions,
  owner: CheckedAccount,
  keep: NoticeWriter,
): AccountCheckState<Notice> {
  const { dialect } = database;
  return {
    notices: createNoticeOutbox(database, owner, keep),
    remembered: () => database.read(() => readSnapshot({ ...owner })),
    remember: (states, mark) =>
      database.write(function* () {
        // If two checks of an account run at the same time, the result of one of them is stored, never a mix of both.
        yield* lockAccount(owner);
        yield* writeFired(dialect, owner, states);
        yield* forgetNotifiedChannels(owner);
        if (mark !== undefined) yield* writeMark(dialect, owner, mark);
      }),
    async markProposing(rule, definition, thread, now) {
      await database.run(
        `INSERT INTO proposed (profile, account, rule, definition, thread, asked, at)
         VALUES (@profile, @account, @rule, @definition, @thread, false, @now)
         ON CONFLICT (${dialect.person}profile, account, rule, definition)
         DO UPDATE SET thread = excluded.thread, asked = false, at = excluded.at`,
        { ...owner, rule, definition, thread, now },
      );
    },
    async markAsked(rule, definition) {
      await database.run(
        `UPDATE proposed SET asked = true WHERE ${CHECKED_ACCOUNT_CONDITION} AND rule = @rule AND definition = @definition`,
        { ...owner, rule, definition },
      );
    },
  };
}

const readFired = ({ profile, account }: CheckedAccount) =>
  all<RuleFiring>(`SELECT rule, subject, definition, since FROM fired WHERE ${CHECKED_ACCOUNT_CONDITION}`, {
    profile,
    account,
  });

function* readSnapshot(owner: { profile: string; account: string }): TransactionWork<CheckSnapshot> {
  const fired = yield* readFired(owner);
  const mark = yield* one<HighWaterMarkRow>(
    `SELECT value, at, last_value, last_at, flows FROM high_water WHERE ${CHECKED_ACCOUNT_CONDITION}`,
    owner,
  );
  const proposed = yield* all<{ rule: string; definition: string; thread: string; asked: number | boolean }>(
    `SELECT rule, definition, thread, asked FROM proposed WHERE ${CHECKED_ACCOUNT_CONDITION}`,
    owner,
  );
  return {
    fired: () => fired,
    mark: () => toHighWaterMark(mark),
    proposed(rule, definition) {
      const row = proposed.find((one) => one.rule === rule && one.definition === definition);
      return row && { thread: row.thread, asked: Boolean(row.asked) };
    },
  };
}

/** Writes only the changed rows: between two checks, usually only a few out of thousands change. */
function* writeFired(
  { person, each }: Dialect,
  { profile, account }: CheckedAccount,
  states: readonly RuleFiring[],
): TransactionWork<void> {
  const key = ({ rule, subject }: RuleFiring) => `${rule}\n${subject}`;
  const before = new Map((yield* readFired({ profile, account })).map((state) => [key(state), state]));
  // If several firings have the same rule and subject, the last one wins.
  const now = new Map(states.map((state) => [key(state), state]));
  const changed = [...now].flatMap(([name, { rule, subject, definition, since }]) => {
    const known = before.get(name);
    return known?.definition === definition && known.since === since ? [] : [{ rule, subject, definition, since }];
  });
  const gone = [...before].flatMap(([name, state]) => (now.has(name) ? [] : [state]));
  if (gone.length > 0)
    yield* run(
      `DELETE FROM fired WHERE ${CHECKED_ACCOUNT_CONDITION}
         AND (rule, subject) IN (SELECT value ->> 'rule', value ->> 'subject' FROM ${each('@gone')})`,
      { profile, account, gone: JSON.stringify(gone) },
    );
  if (changed.length > 0)
    yield* run(
      `INSERT INTO fired (profile, account, rule, subject, definition, since)
       SELECT @profile, @account, value ->> 'rule', value ->> 'subject', value ->> 'definition',
         CAST(value ->> 'since' AS bigint) FROM ${each('@changed')} WHERE true
       ON CONFLICT (${person}profile, account, rule, subject)
       DO UPDATE SET definition = excluded.definition, since = excluded.since`,
      { profile, account, changed: JSON.stringify(changed) },
    );
}

const writeMark = ({ person }: Dialect, { profile, account }: CheckedAccount, mark: HighWaterMark) =>
  run(
    `INSERT INTO high_water (profile, account, value, at, last_value, last_at, flows)
     VALUES (@profile, @account, @value, @at, @last_value, @last_at, @flows)
     ON CONFLICT (${person}profile, account) DO UPDATE SET value = excluded.value, at = excluded.at,
       last_value = excluded.last_value, last_at = excluded.last_at, flows = excluded.flows`,
    { profile, account, ...toHighWaterMarkRow(mark) },
  );

function closeCache(database: SqlTransactions): CheckStore<StoredNotice>['closes'] {
  const { tenant, each } = database.dialect;
  const getAll = async (symbols: readonly string[]) => {
    const rows = await database.all<PackedCloses & { readonly symbol: string }>(
      `SELECT symbol, days, closes FROM closes WHERE symbol IN (SELECT value ->> 'symbol' FROM ${each('@symbols')})`,
      { symbols: JSON.stringify(symbols.map((symbol) => ({ symbol }))) },
    );
    return new Map(rows.map(({ symbol, ...row }) => [symbol, unpackCloses(row)]));
  };
  return {
    get: async (symbol) => (await getAll([symbol])).get(symbol),
    getAll,
    async put(symbol, history) {
      await database.run(
        `INSERT INTO closes (symbol, days, closes) VALUES (@symbol, @days, @closes)
         ON CONFLICT (${tenant}symbol) DO UPDATE SET days = excluded.days, closes = excluded.closes`,
        { symbol, ...packCloses(history) },
      );
    },
  };
}

function importStore(database: SqlTransactions, { profile, account }: CheckedAccount): ImportStore {
  const owner = { profile, account };
  const { bytes, each } = database.dialect;
  return {
    async activities() {
      const rows = await database.all<{ row: string }>(
        `SELECT row FROM imported WHERE ${CHECKED_ACCOUNT_CONDITION} ORDER BY at, id`,
        owner,
      );
      return rows.map(({ row }) => JSON.parse(row) as Activity);
    },
    files: () =>
      database.all<ImportedFile>(
        `SELECT id, file, at, (SELECT count(*) FROM imported WHERE profile = imports.profile
           AND account = imports.account AND import = imports.id) AS rows
         FROM imports WHERE ${CHECKED_ACCOUNT_CONDITION} ORDER BY at DESC, id${bytes}`,
        owner,
      ),
    put: ({ id, file, at }, activities) =>
      database.write(function* () {
        yield* lockAccount(owner);
        const rows = activities.map((row) => ({
          id: row.id,
          at: Date.parse(row.at),
          row: JSON.stringify(row),
        }));
        const added = yield* run(
          `INSERT INTO imported (profile, account, id, import, at, row)
           SELECT @profile, @account, value ->> 'id', @id, CAST(value ->> 'at' AS bigint), value ->> 'row'
           FROM ${each('@rows')} WHERE true ON CONFLICT DO NOTHING`,
          { ...owner, id, rows: JSON.stringify(rows) },
        );
        // A file without new activities is not recorded, because removing the file would remove nothing.
        if (added > 0)
          yield* run(
            `INSERT INTO imports (profile, account, id, file, at) VALUES (@profile, @account, @id, @file, @at)
             ON CONFLICT DO NOTHING`,
            { ...owner, id, file, at },
          );
        return added;
      }),
    remove: (id) =>
      database.write(function* () {
        yield* lockAccount(owner);
        const known = yield* run(`DELETE FROM imports WHERE ${CHECKED_ACCOUNT_CONDITION} AND id = @id`, {
          ...owner,
          id,
        });
        const rows = yield* run(`DELETE FROM imported WHERE ${CHECKED_ACCOUNT_CONDITION} AND import = @id`, {
          ...owner,
          id,
        });
        return known === 0 ? undefined : rows;
      }),
  };
}

/**
 * A packed price history. Each day takes two bytes. Each close takes four bytes, or eight if any price is too large or
 * has too many decimals.
 */
interface PackedCloses {
  readonly days: Buffer;
  readonly closes: Buffer;
}

const MAX_NARROW_CLOSE = 2 ** 32 - 1;

/**
 * Packs closes as tightly as possible, because the database is encrypted and decryption time is proportional to the
 * number of bytes. Decrypting a thousand price histories takes longer than decrypting everything else that a check
 * reads.
 */
export function packCloses({ days, closes }: PriceHistory): PackedCloses {
  const isNarrow = closes.every((close) => Number.isInteger(close) && close <= MAX_NARROW_CLOSE);
  return {
    days: toBuffer(Uint16Array.from(days)),
    closes: toBuffer(isNarrow ? Uint32Array.from(closes) : closes),
  };
}

export function unpackCloses({ days, closes }: PackedCloses): PriceHistory {
  const count = days.byteLength / Uint16Array.BYTES_PER_ELEMENT;
  const isNarrow = closes.byteLength === count * Uint32Array.BYTES_PER_ELEMENT;
  return {
    days: new Int32Array(new Uint16Array(...alignedView(days, Uint16Array.BYTES_PER_ELEMENT))),
    closes: isNarrow
      ? new Float64Array(new Uint32Array(...alignedView(closes, Uint32Array.BYTES_PER_ELEMENT)))
      : new Float64Array(...alignedView(closes, Float64Array.BYTES_PER_ELEMENT)),
  };
}

function toBuffer({ buffer, byteOffset, byteLength }: Uint16Array | Uint32Array | Float64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Returns a typed array's constructor arguments. Copies the bytes if they are not aligned to the element size. */
function alignedView({ buffer, byteOffset, byteLength }: Buffer, size: number): [ArrayBufferLike, number, number] {
  if (byteOffset % size === 0) return [buffer, byteOffset, byteLength / size];
  return [buffer.slice(byteOffset, byteOffset + byteLength), 0, byteLength / size];
}
