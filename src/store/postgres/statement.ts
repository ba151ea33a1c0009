/** What a statement is given, by name. */
export type Values = Readonly<Record<string, Value>>;
type Value = string | number | boolean | Buffer | null | readonly string[] | readonly number[];

/** A statement as PostgreSQL takes it. */
interface Statement {
  /** By it the server keeps the plan: one each text. */
  readonly name: string;
  readonly text: string;
  /** Which value stands for $1, $2 and so on. */
  readonly names: readonly string[];
}

const known = new Map<string, Statement>();

/**
 * Reads `@name` as `$1`, as SQLite's statements have it, so that the two can be compared at a glance. Texts are the program's
 * own and few: each is read once.
 */
export function statementOf(text: string): Statement {
  const earlier = known.get(text);
  if (earlier !== undefined) return earlier;
  const names: string[] = [];
  const numbered = text.replace(/@([a-z]\w*)/gi, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  const statement = { name: `ta_${known.size + 1}`, text: numbered, names };
  known.set(text, statement);
  return statement;
}

/** @throws {Error} where a value is missing: a null that nobody meant would be looked for, or written */
export function valuesOf({ names, text }: Statement, values: Values): unknown[] {
  return names.map((name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for ${name}: ${text}`);
    return value;
  });
}
