export type ParameterValues = Readonly<Record<string, Value>>;
type Value = string | number | boolean | Buffer | null | readonly string[] | readonly number[];

interface Statement {
  /**
   * Name of the prepared statement. Statements with different text have different names. Undefined for `SELECT *` and
   * `RETURNING *`: after a migration has added a column, PostgreSQL would refuse to run the prepared statement.
   */
  readonly name?: string;
  readonly text: string;
  /** Parameter names of $1, $2 and so on. */
  readonly names: readonly string[];
}

const ALL_COLUMNS = /(\bSELECT\s+|\bRETURNING\s+|\.)\*/i;

const statementCache = new Map<string, Statement>();

/**
 * Converts a statement's `@name` parameters to `$1`, so that the program can use the same statements for SQLite and
 * PostgreSQL. Converted statements are cached without a limit, because there is only a fixed set of them.
 */
export function toStatement(text: string): Statement {
  const earlier = statementCache.get(text);
  if (earlier !== undefined) return earlier;
  const names: string[] = [];
  const numbered = text.replace(/@([a-z]\w*)/gi, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  const name = ALL_COLUMNS.test(text) ? {} : { name: `ta_${statementCache.size + 1}` };
  const statement = { ...name, text: numbered, names };
  statementCache.set(text, statement);
  return statement;
}

/**
 * Returns the values in the order of the statement's parameters.
 * @throws {Error} if a value is missing, because PostgreSQL would otherwise silently use null
 */
export function statementValues({ names, text }: Statement, values: ParameterValues): unknown[] {
  return names.map((name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for ${name}: ${text}`);
    return value;
  });
}
