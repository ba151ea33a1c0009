import { run, type SqlTransactions, type TransactionWork } from '../sql/sql-database.ts';

/** How long a claim lasts, in milliseconds. If the claiming process dies, another process does the work afterwards. */
const CLAIM_MS = 15_000;

/** Lets one process at a time do the work that a table's row represents. @param key the column that identifies a row */
export function createClaims(database: SqlTransactions, table: string, key: string, now: () => number) {
  const { dialect } = database;
  const until = `${dialect.now} + ${CLAIM_MS}`;
  const set = (text: string, id: string) =>
    database.run(`UPDATE ${table} SET claimed_until = ${text} WHERE ${key} = @id AND claimed_until > 0`, {
      id,
      now: now(),
    });
  return {
    /** Claims a row's work. Returns false if another process has a claim, or if the row fails the SQL condition. */
    *claim(id: string, condition: string): TransactionWork<boolean> {
      const claimed = yield* run(
        `UPDATE ${table} SET claimed_until = ${until}
         WHERE ${key} = @id AND claimed_until <= ${dialect.now} AND ${condition}`,
        { id, now: now() },
      );
      return claimed === 1;
    },
    /** Does work that this process has claimed. Renews the claim until the work ends, and releases it on failure. */
    async hold<T>(id: string, work: () => Promise<T>): Promise<T> {
      // If a renewal fails, the work may be done twice, which is safe.
      const timer = setInterval(() => void set(until, id).catch(() => undefined), CLAIM_MS / 3).unref();
      try {
        return await work();
      } catch (error) {
        // If this fails, too, the claim expires.
        await set('0', id).catch(() => undefined);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
