import type { Document, LineCounter } from 'yaml';
import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { findClosestMatch } from '../text/closest-match.ts';

/**
 * Parses and validates YAML. @param file the file's name, for error messages
 * @throws {TradeAgentError} `invalid_config`, with the line, key and closest valid key
 */
export async function parseYaml<S extends z.ZodType>(schema: S, text: string, file: string): Promise<z.output<S>> {
  const { document, lines, content: written } = await parseYamlDocument(text, file);
  const content = written ?? {};
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  throw validationError(schema, result.error, content, { file, document, lines });
}

/** Keys that are rejected, because they could overwrite JavaScript's built-in properties or be mistaken for them. */
const reservedKeys = ['__proto__', 'constructor', 'prototype'];

/** Maximum number of alias expansions in a file. Real files have few; many are an attempt to exhaust memory. */
const MAX_ALIASES = 100;

/**
 * Parses YAML and returns the document, its line counter and its plain values.
 * @throws {TradeAgentError} `invalid_config`, with the line, for invalid YAML, reserved keys, and too many aliases or
 *   levels
 */
export async function parseYamlDocument(
  text: string,
  file: string,
): Promise<{ document: Document; lines: LineCounter; content: unknown }> {
  const { isCollection, isScalar, LineCounter, parseDocument, visit } = await import('yaml');
  const lines = new LineCounter();
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  let document: Document;
  let alias: number | undefined;
  try {
    // Duplicate keys are checked below: the parser's own check is quadratic and takes seconds for 10,000 keys.
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const syntaxError = document.errors[0];
    if (syntaxError) throw invalidFileError(`${at(syntaxError.pos[0])}: ${syntaxError.message}`, file);
    visit(document, {
      Alias: (_, { source, range }, path) => {
        alias ??= range?.[0];
        if (!path.some((above) => isCollection(above) && above.anchor === source)) return;
        throw invalidFileError(`${at(range?.[0] ?? 0)}: *${source} refers to itself`, file);
      },
      Map: (_, { items }) => {
        const names = new Set<unknown>();
        for (const { key } of items) {
          if (!isScalar(key)) continue;
          if (names.has(key.value)) throw invalidFileError(`${at(key.range?.[0] ?? 0)}: Map keys must be unique`, file);
          names.add(key.value);
        }
      },
      Pair: (_, { key }) => {
        const name = isScalar(key) ? String(key.value) : '';
        if (!reservedKeys.includes(name)) return;
        throw invalidFileError(
          `${at((isScalar(key) ? key.range?.[0] : undefined) ?? 0)}: "${name}" can't be used as a key`,
          file,
        );
      },
    });
  } catch (error) {
    // The parser is recursive, so deep nesting overflows the stack.
    if (!(error instanceof RangeError)) throw error;
    throw invalidFileError(`${file}:1: the file is nested too deeply`, file);
  }
  try {
    return { document, lines, content: document.toJS({ maxAliasCount: MAX_ALIASES }) };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw invalidFileError(
      `${at(alias ?? 0)}: ${error.message}`,
      file,
      'Replace the aliases (*name) with the values they refer to.',
    );
  }
}

export const INVALID_FILE_HINT = 'Fix the file, or move it away to start over.';

export function invalidFileError(message: string, file: string, hint = INVALID_FILE_HINT) {
  return new TradeAgentError('invalid_config', message, { hint, details: { file } });
}

function validationError(
  schema: z.ZodType,
  error: z.ZodError,
  content: unknown,
  { file, document, lines }: { file: string; document: Document; lines: LineCounter },
): TradeAgentError {
  // A misspelled key also makes the correct key missing. The misspelling is reported, because it is the cause.
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0];
  if (issue === undefined) return invalidFileError(`${file} is not valid`, file);
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = keysAt(schema, path, content);
    const nearest = findClosestMatch(key, known);
    const at = `${file}${lineSuffix(document, lines, [...path, key])}`;
    return invalidFileError(
      `${at}: unknown key "${[...path, key].join('.')}"`,
      file,
      nearest === undefined
        ? `Valid keys here are ${known.join(', ')}.`
        : `Did you mean "${nearest}"? Valid keys here are ${known.join(', ')}.`,
    );
  }
  const at = `${file}${lineSuffix(document, lines, path)}: ${path.length > 0 ? `"${path.join('.')}": ` : ''}`;
  if (issue.code === 'invalid_type' && issue.expected === 'object') {
    const known = keysAt(schema, path, content).join(', ');
    const hint = known === '' ? undefined : `Its keys are ${known}.`;
    return invalidFileError(`${at}must be a section with keys`, file, hint);
  }
  return invalidFileError(`${at}${issue.message}`, file);
}

/** Returns `:12`, the line of the deepest part of the path that exists in the file; '' if no part exists. */
export function lineSuffix(document: Document, lines: LineCounter, path: readonly PropertyKey[]): string {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const part of path) {
    const items = (node as { items?: unknown[] } | null)?.items;
    if (items === undefined) break;
    if (typeof part === 'number') {
      node = items[part];
    } else {
      const pair = items.find((item) => String((item as { key?: { value?: unknown } }).key?.value) === String(part)) as
        | { key: unknown; value: unknown }
        | undefined;
      if (pair === undefined) break;
      offset = (pair.key as { range?: number[] }).range?.[0] ?? offset;
      node = pair.value;
      continue;
    }
    offset = (node as { range?: number[] } | null)?.range?.[0] ?? offset;
  }
  return offset === undefined ? '' : `:${lines.linePos(offset).line}`;
}

function keysAt(whole: z.ZodType, path: string[], content: unknown): string[] {
  let schema: unknown = whole;
  let value = content;
  for (const name of path) {
    schema = selectedOption(unwrap(schema), value);
    value = (value as Record<string, unknown> | null | undefined)?.[name];
    if (schema instanceof z.ZodObject) schema = schema.shape[name];
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
  }
  schema = selectedOption(unwrap(schema), value);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** Returns the union's option that the value's `kind` selects. */
function selectedOption(schema: unknown, value: unknown): unknown {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const { kind } = (value ?? {}) as { kind?: unknown };
  return schema.options.find((option) => option instanceof z.ZodObject && option.shape.kind.safeParse(kind).success);
}

function unwrap(schema: unknown): unknown {
  let inner = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodLazy ||
    inner instanceof z.ZodPipe
  ) {
    // A zod pipe converts its input to its output, and the file contains the input.
    inner = inner instanceof z.ZodPipe ? inner.in : inner.unwrap();
  }
  return inner;
}
