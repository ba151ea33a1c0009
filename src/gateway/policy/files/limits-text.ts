import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  isMap,
  isScalar,
  type Pair,
  parse,
  parseDocument,
  stringify,
  type YAMLMap,
} from 'yaml';

type Json = Readonly<Record<string, unknown>>;

/**
 * A `limits.yaml` with one account's limits replaced; comments and order stay if possible. Equal limits leave the text as
 * it is.
 * @param text valid; undefined if there is no file
 */
export function limitsText(text: string | undefined, account: string, limits: Json): string {
  const before = (text === undefined ? undefined : (parse(text) as Json | null)) ?? { version: 1 };
  const accounts = (before.accounts ?? {}) as Readonly<Record<string, Json>>;
  const after = { ...before, accounts: { ...accounts, [account]: limits } };
  if (text !== undefined && isDeepStrictEqual(before, after)) return text;
  const document = parseDocument(text ?? 'version: 1\n');
  changeAccount(document, account, limits);
  const edited = document.toString();
  // The file may have aliases and the like, but the result must mean what was intended.
  return isDeepStrictEqual(parse(edited), after) ? edited : stringify(after);
}

function changeAccount(document: Document, account: string, limits: Json): void {
  const accounts = document.get('accounts');
  if (!isMap(accounts)) {
    document.set('accounts', document.createNode({ [account]: limits }));
    return;
  }
  const pair = pairOf(accounts, account);
  if (pair === undefined) accounts.add(document.createPair(account, limits));
  else if (isMap(pair.value)) changeMap(document, pair.value, limits);
  else pair.value = document.createNode(limits);
}

/** Only rewrites what differs, so that comments on the rest stay. */
function changeMap(document: Document, map: YAMLMap, values: Json): void {
  for (const { key } of [...map.items]) if (!Object.hasOwn(values, nameOf(key))) map.delete(key);
  for (const [name, value] of Object.entries(values)) {
    const pair = pairOf(map, name);
    if (pair === undefined) map.add(document.createPair(name, value));
    else if (isMap(pair.value) && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      changeMap(document, pair.value, value as Json);
    } else if (!isDeepStrictEqual(plain(pair.value), value)) {
      const node = document.createNode(value);
      const { value: old } = pair as Pair<unknown, { comment?: string | null } | null>;
      if (isScalar(node) && typeof old?.comment === 'string') node.comment = old.comment;
      pair.value = node;
    }
  }
}

/** An account's number may be unquoted. */
function pairOf(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find(({ key }) => nameOf(key) === name);
}

function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function plain(node: unknown): unknown {
  const { toJSON } = (node ?? {}) as { toJSON?: () => unknown };
  return typeof toJSON === 'function' ? toJSON.call(node) : node;
}
