import type { Context } from 'hono';
import { Refusal } from '../trading/refusal.ts';

/** An order is some 600 bytes; nothing that is sent here is anywhere near this. */
const LARGEST_BODY = 16 * 1024;

/**
 * The request's JSON body, read up to {@link LARGEST_BODY}.
 * @throws {Refusal} 415 `unsupported_media_type`, 413 `body_too_large`, 400 `malformed_json`
 */
export async function jsonBody(c: Context): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal(415, 'unsupported_media_type', 'the request body must be application/json');
  }
  const text = await limitedText(c.req.raw.body);
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'malformed_json', 'the request body is not JSON');
  }
}

async function limitedText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST_BODY) {
      throw new Refusal(413, 'body_too_large', `the request body is larger than ${LARGEST_BODY} bytes`);
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Refusal(400, 'malformed_json', 'the request body is not UTF-8');
  }
}
