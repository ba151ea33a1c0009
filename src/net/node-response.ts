import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** Statuses whose answer has no body (Fetch, "null body status"). */
const BODILESS = [204, 205, 304];

/**
 * What Node's own client received, as `fetch` would answer it.
 * @param hasBody whether its body is read; otherwise it is dropped
 * @throws {RangeError} for a status or a reason phrase that RFC 9110 does not know
 */
export function responseOf(message: IncomingMessage, { hasBody = true } = {}): Response {
  const { statusCode: status = 502, statusMessage: statusText = '' } = message;
  // Not every `Response` of a process refuses them.
  if (status < 200 || status > 599 || /[^\t\x20-\x7e\x80-\xff]/.test(statusText))
    throw new RangeError('the answer is not HTTP as it should be');
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const isRead = hasBody && !BODILESS.includes(status);
  if (!isRead) message.resume();
  const body = isRead ? (Readable.toWeb(message) as ReadableStream<Uint8Array>) : null;
  return new Response(body as ConstructorParameters<typeof Response>[0], { status, statusText, headers });
}
