import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { isWellFormed } from '../../net/well-formed-json.ts';
import type { Scope } from '../../oauth/scopes.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { symbolSchema } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Caller } from '../auth/caller.ts';
import type { RateLimitedKind } from '../auth/caller-rates.ts';

/** Parses a URL's query. Rejects a parameter that occurs twice. @throws {HttpProblem} 400 `invalid_query` */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, url: string): z.output<Schema> {
  const parameters = new URL(url).searchParams;
  const names = [...parameters.keys()];
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const parsed = schema.safeParse(Object.fromEntries(parameters));
  if (parsed.success && repeated.length === 0) return parsed.data;
  const fields = new Set(repeated);
  for (const issue of parsed.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) fields.add(key);
    else fields.add(issue.path.map(String).join('.'));
  }
  const first = parsed.error?.issues[0]?.message;
  throw new HttpProblem(400, 'invalid_query', `invalid query parameters: ${[...fields].join(', ')}`, {
    fields: [...fields],
    ...defined({ hint: first }),
  });
}

const nothing = z.strictObject({});

/** Rejects all query parameters, which would otherwise be ignored. @throws {HttpProblem} 400 `invalid_query` */
export function requireNoQuery(url: string): void {
  parseQuery(nothing, url);
}

export function limitParameterSchema(max: number, fallback: number) {
  return z
    .string()
    .regex(/^[1-9]\d{0,5}$/, 'must be a whole number from 1')
    .transform(Number)
    .pipe(z.number().max(max))
    .default(fallback);
}

/** Returns the schema of a comma-separated list of symbols. Parsing removes duplicates. */
export function symbolListSchema(most: number) {
  return z
    .string()
    .transform((text) => [...new Set(text.split(','))])
    .pipe(z.array(symbolSchema).min(1).max(most))
    .transform((symbols) => [...new Set(symbols)]);
}

/** Maximum size of a request body, in bytes. An order takes about 600 bytes. */
const MAX_BODY_BYTES = 16 * 1024;

/** Reads a JSON body. @throws {HttpProblem} 415 `unsupported_media_type`, 413 `body_too_large`, 400 `malformed_json` */
export async function readJsonBody(c: Context, largest = MAX_BODY_BYTES): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new HttpProblem(415, 'unsupported_media_type', 'the request body must be application/json');
  }
  return parsed(utf8(await readLimitedBody(c.req.raw.body, largest)));
}

/** Reads a JSON body; undefined if it is empty. @throws {HttpProblem} for the same reasons as {@link readJsonBody} */
export async function readOptionalJson(c: Context): Promise<unknown> {
  const text = utf8(await readLimitedBody(c.req.raw.body, MAX_BODY_BYTES));
  return text.trim() === '' ? undefined : parsed(text);
}

function parsed(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new HttpProblem(400, 'malformed_json', 'the request body is not JSON');
  }
  if (!isWellFormed(body)) {
    throw new HttpProblem(
      400,
      'malformed_json',
      'the request body contains an unpaired surrogate, which is not valid text',
    );
  }
  return body;
}

export async function readLimitedBody(
  body: ReadableStream<Uint8Array> | null,
  largest: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > largest) {
      throw new HttpProblem(413, 'body_too_large', `the request body is larger than ${largest} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HttpProblem(400, 'malformed_json', 'the request body is not UTF-8');
  }
}

type Handle = (c: Context, caller: Caller) => Promise<Response>;

/** Creates functions that add routes. The rate limit for reads applies to GET, unless a route names another limit. */
export function createGuardedRoutes(app: Hono, authenticator: Pick<Authenticator, 'guard'>) {
  const on =
    (method: string, usual?: RateLimitedKind) =>
    (path: string, scopes: readonly Scope[], handle: Handle, limited = usual) =>
      void app.on(method, path, authenticator.guard(scopes, handle, limited));
  return { get: on('GET', 'reads'), post: on('POST'), put: on('PUT'), patch: on('PATCH'), delete: on('DELETE') };
}
