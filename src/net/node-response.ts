import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** Statuses of responses without a body (Fetch, "null body status"). */
const NULL_BODY_STATUSES = [204, 205, 304];

/**
 * Converts the response of Node's `http` client to a `Response`.
 * @param hasBody whether to read the body; if false, the body is discarded
 * @throws {RangeError} for a status or a reason phrase that RFC 9110 does not allow
 */
export function toResponse(message: IncomingMessage, { hasBody = true } = {}): Response {
  const { statusCode: status = 502, statusMessage: statusText = '' } = message;
  // Checked here because some implementations of `Response` accept such values.
  if (status < 200 || status > 599 || /[^\t\x20-\x7e\x80-\xff]/.test(statusText))
    throw new RangeError('the response has an invalid status or reason phrase');
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const isRead = hasBody && !NULL_BODY_STATUSES.includes(status);
  if (!isRead) message.resume();
  const body = isRead ? (Readable.toWeb(message) as ReadableStream<Uint8Array>) : null;
  return new Response(body as ConstructorParameters<typeof Response>[0], { status, statusText, headers });
}
