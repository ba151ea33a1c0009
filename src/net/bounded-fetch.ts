/** Thrown if a server's response is larger than the allowed maximum. */
export class ResponseTooLargeError extends Error {
  override name = 'ResponseTooLargeError';

  constructor(longest: number) {
    super(`the response is longer than ${longest} bytes`);
  }
}

/** Maximum size of an identity provider's response, in bytes. Metadata, keys and tokens are much smaller. */
export const MAX_PROVIDER_RESPONSE_BYTES = 1024 * 1024;

/**
 * Wraps `fetch` so that it reads at most `longest` bytes of a response, counted after decompression. A faulty or
 * hostile server must not be able to exhaust the memory.
 * @param tooLong called if a response is too large, for callers that do not read the body themselves
 * @throws {ResponseTooLargeError} if `content-length` is too large; otherwise, reading the body throws it
 */
export function createBoundedFetch(
  send: typeof fetch,
  longest: number,
  tooLong: (error: ResponseTooLargeError) => void = () => undefined,
): typeof fetch {
  return async (input, init) => await limitResponseSize(await send(input, init), longest, tooLong);
}

/** Limits the size of one response. The parameters and errors are those of {@link createBoundedFetch}. */
export async function limitResponseSize(
  response: Response,
  longest: number,
  tooLong: (error: ResponseTooLargeError) => void = () => undefined,
): Promise<Response> {
  const refusal = () => {
    const error = new ResponseTooLargeError(longest);
    tooLong(error);
    return error;
  };
  if (Number(response.headers.get('content-length')) > longest) {
    await response.body?.cancel();
    throw refusal();
  }
  if (response.body === null) return response;
  let length = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      length += chunk.byteLength;
      if (length > longest) throw refusal();
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counted), response);
}

export function isResponseTooLarge(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at.name === 'ResponseTooLargeError') return true;
  }
  return false;
}
