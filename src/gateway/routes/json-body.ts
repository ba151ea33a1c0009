import type { Context } from 'hono';
import { isWellFormed } from '../../net/well-formed-json.ts';
import { Refusal } from '../../trading/refusal.ts';

/** An order is some 600 bytes; nothing that is sent to the gateway is anywhere near this. */
const LARGEST_BODY = 16 * 1024;

/**
 * The request's JSON body, read up to so many bytes.
 * @throws {Refusal} 415 `unsupported_media_type`, 413 `body_too_large`, 400 `malformed_json`
 */
export async function jsonBody(c: Context, largest = LARGEST_BODY): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal(415, 'unsupported_media_type', 'the request body must be application/json');
  }
  return parsed(utf8(await limitedBody(c.req.raw.body, largest)));
}

/**
 * The same where a body may be left out: undefined for none, and for an empty one, whatever its headers say of it.
 * @throws {Refusal} as {@link jsonBody}, where there is something
 */
export async function optionalJson(c: Context): Promise<unknown> {
  const text = utf8(await limitedBody(c.req.raw.body, LARGEST_BODY));
  return text.trim() === '' ? undefined : parsed(text);
}

/** @throws {Refusal} 400 `malformed_json` */
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

/** @throws {Refusal} 413 `body_too_large` */
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
