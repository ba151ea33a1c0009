/** The other side sent more than any sound answer has. */
export class AnswerTooLong extends Error {
  override name = 'AnswerTooLong';

  constructor(longest: number) {
    super(`an answer of more than ${longest} bytes`);
  }
}

/** Bytes an identity provider's answer may have: metadata, keys and tokens are far shorter. */
export const LONGEST_PROVIDER_ANSWER = 1024 * 1024;

/**
 * `fetch` that reads no more of an answer than `longest` bytes, as they come out of any compression: a server that is
 * wrong or hostile must not fill the memory.
 * @param tooLong told where one is longer, for whoever does not read the answer itself
 * @throws {AnswerTooLong} where the length is announced; otherwise reading the body does
 */
export function boundedFetch(
  send: typeof fetch,
  longest: number,
  tooLong: (error: AnswerTooLong) => void = () => undefined,
): typeof fetch {
  return async (input, init) => await boundedAnswer(await send(input, init), longest, tooLong);
}

/**
 * One answer, of which no more is read.
 * @param tooLong as {@link boundedFetch}
 * @throws {AnswerTooLong} as {@link boundedFetch}
 */
export async function boundedAnswer(
  response: Response,
  longest: number,
  tooLong: (error: AnswerTooLong) => void = () => undefined,
): Promise<Response> {
  const refusal = () => {
    const error = new AnswerTooLong(longest);
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

export function isAnswerTooLong(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at.name === 'AnswerTooLong') return true;
  }
  return false;
}
