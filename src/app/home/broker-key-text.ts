import { TradeAgentError } from '../../errors/errors.ts';
import {
  type KeptCredentials,
  type KeptKind,
  keptKindNames,
  keptWords,
} from '../../gateway/broker/kept-kinds.ts';

/** Whether it is a part of some kind: then a line that begins with it is no secret that happens to have a "=". */
const isOthers = (name: string) =>
  keptKindNames.some((kind) =>
    Object.values(keptWords(kind).fields).some(({ names }) => names.includes(name)),
  );

/**
 * What opens an account, as a file has it: a line for each part in their order; or lines `key=…`, also by the names that the
 * broker's own tools use. Nothing of the text is in an error.
 * @throws {TradeAgentError} `usage`
 */
export function readKeptText(text: string, from: string, kind: KeptKind): KeptCredentials {
  const { noun } = keptWords(kind);
  const fields = Object.entries(keptWords(kind).fields);
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const named = new Map<string, string>();
  const bare: string[] = [];
  for (const line of lines) {
    const [, word = '', value = ''] = /^(?:export\s+)?([A-Za-z_-]+)\s*[=:]\s*(.+)$/.exec(line) ?? [];
    const name = word.toLowerCase().replaceAll('-', '_');
    const [field] = fields.find(([, { names }]) => names.includes(name)) ?? [];
    if (field === undefined && !isOthers(name)) bare.push(line);
    else if (field !== undefined) named.set(field, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  if (named.size === 0 && bare.length === fields.length) {
    for (const [at, [field]] of fields.entries()) named.set(field, bare[at] ?? '');
  }
  if (named.size === fields.length) return Object.fromEntries(named) as unknown as KeptCredentials;
  const labels = new Intl.ListFormat('en-GB').format(fields.map(([, { label }]) => label.toLowerCase()));
  const examples = fields.map(([, { names }]) => `"${names[0]}=…"`).join(', ');
  throw new TradeAgentError('usage', `${from} holds no ${noun}`, {
    hint: `Write ${labels} on a line each, in this order, or ${examples}.`,
  });
}
