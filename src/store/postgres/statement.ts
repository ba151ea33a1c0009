/** A statement's values by name. */
export type Values = Readonly<Record<string, Value>>;
type Value = string | number | boolean | Buffer | null | readonly string[] | readonly number[];

/** A statement in PostgreSQL's form. */
interface Statement {
  /** Name of the prepared statement, unique per text. */
  readonly name: string;
  readonly text: string;
  /** Names of the values for $1, $2 and so on. */
  readonly names: readonly string[];
}

const statementCache = new Map<string, Statement>();

/**
 * Converts `@name` parameters, as in SQLite's statements, to `$1`, so that both databases' statements look alike. The program
 * has few distinct texts, so each is converted once and cached.
 */
export function toStatement(text: string): Statement {
  const earlier = statementCache.get(text);
  if (earlier !== undefined) return earlier;
  const names: string[] = [];
  const numbered = text.replace(/@([a-z]\w*)/gi, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  const statement = { name: `ta_${statementCache.size + 1}`, text: numbered, names };
  statementCache.set(text, statement);
  return statement;
}

/** Returns the values in order. @throws {Error} if a value is missing, because an unintended null would be read or written */
export function statementValues({ names, text }: Statement, values: Values): unknown[] {
  return names.map((name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for ${name}: ${text}`);
    return value;
  });
}
