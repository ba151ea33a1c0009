import { parse, stringify, TomlError } from 'smol-toml';
import { type Format, TextError } from './format.ts';

/**
 * TOML with its comments as they stand: the tables of one server are whole lines, which are replaced, or added at the
 * end. Where they were written in another way (inline, by dotted keys), they are left alone.
 */
export const tomlFormat: Format = {
  parse(text) {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const [what = ''] = error.message.split('\n');
      throw new TextError(
        `not TOML: ${what.replace(/^Invalid TOML document: /, '')}`,
        error.line,
        error.column,
      );
    }
  },
  set(text, path, entry) {
    const eol = text.includes('\r\n') ? '\r\n' : '\n';
    const lines = text.split(/\r?\n/);
    const added = this.show(path, entry).split('\n');
    if (!has(parse(text), path)) {
      while (lines.at(-1)?.trim() === '') lines.pop();
      return [...lines, ...(lines.length === 0 ? [] : ['']), ...added, ''].join(eol);
    }
    const headers = lines.flatMap((line, at) => {
      const keys = headerOf(line);
      return keys === undefined ? [] : [{ at, isOurs: path.every((key, depth) => keys[depth] === key) }];
    });
    const first = headers.findIndex(({ isOurs }) => isOurs);
    if (first === -1) return undefined;
    const after = headers.findIndex(({ isOurs }, index) => index > first && !isOurs);
    const start = headers[first]?.at ?? 0;
    let end = after === -1 ? lines.length : (headers[after]?.at ?? lines.length);
    // What stands above the next table belongs to that.
    while (/^\s*(#.*)?$/.test(lines[end - 1] ?? 'x')) end -= 1;
    return [...lines.slice(0, start), ...added, ...lines.slice(end)].join(eol);
  },
  show: ([section, name], entry) => stringify({ [section]: { [name]: entry } }).trimEnd(),
};

function has(table: Record<string, unknown>, [section, name]: readonly [string, string]): boolean {
  const servers = table[section];
  return typeof servers === 'object' && servers !== null && Object.hasOwn(servers, name);
}

/** The keys of a table's header; undefined where the line is none. */
function headerOf(line: string): string[] | undefined {
  if (!/^\s*\[/.test(line)) return undefined;
  let table: unknown;
  try {
    table = parse(line);
  } catch {
    return undefined;
  }
  const keys: string[] = [];
  for (;;) {
    if (Array.isArray(table)) table = table[0];
    const [key, ...more] = typeof table === 'object' && table !== null ? Object.keys(table) : [];
    if (key === undefined || more.length > 0) return keys;
    keys.push(key);
    table = (table as Record<string, unknown>)[key];
  }
}
