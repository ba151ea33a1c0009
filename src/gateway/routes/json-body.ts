import type { Context } from 'hono';
import { isWellFormed } from '../../net/well-formed-json.ts';
import { Refusal } from '../../trading/refusal.ts';

/** An order is some 600 bytes. */
const LARGEST_BODY = 16 * 1024;

/** @throws {Refusal} 415 `unsupported_media_type`, 413 `body_too_large`, 400 `malformed_json` */
export async function jsonBody(c: Context, largest = LARGEST_BODY): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal(415, 'unsupported_media_type', 'the request body must be application/json');
  }
  return parsed(utf8(await limitedBody(c.req.raw.body, largest)));
}

/** Undefined for an empty body. @throws {Refusal} as {@link jsonBody} */
export async function optionalJson(c: Context): Promise<unknown> {
  const text = utf8(await limitedBody(c.req.raw.body, LARGEST_BODY));
  return text.trim() === '' ? undefined : parsed(text);
}

function parsed(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal(400, 'malformed_json', 'the request body is not JSON');
  }
  if (!isWellFormed(body)) {
    throw new Refusal(
      400,
      'malformed_json',
      'the request body has half of a surrogate pair, which is no text',
    );
  }
  return body;
}

export async function limitedBody(
  body: ReadableStream<Uint8Array> | null,
  largest: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > largest) {
      throw new Refusal(413, 'body_too_large', `the request body is larger than ${largest} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal(400, 'malformed_json', 'the request body is not UTF-8');
  }
}
