import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/*
 * What a model's server answered, request by request, byte by byte as it came over the wire; played again it needs no
 * model. A value that no two runs share, such as an order's id, is written {{list_orders.orders.0.id}}: where it stands in
 * the latest answer of that tool, as the request has it.
 */

export const transcriptSchema = z.strictObject({
  model: z.string(),
  /** From a real `server`, or written by `hand`. */
  recorded: z.enum(['server', 'hand']),
  about: z.string(),
  /** By request id, in call order. */
  answers: z.record(z.string(), z.array(z.strictObject({ status: z.number(), type: z.string(), body: z.string() }))),
});
export type Transcript = z.output<typeof transcriptSchema>;
type Answer = Transcript['answers'][string][number];

export interface ModelPlayer {
  readonly url: string;
  begin(id: string): void;
  close(): Promise<void>;
}

/** Answers 500 after the end of the transcript. */
export async function replay(transcript: Transcript): Promise<ModelPlayer> {
  let answers: Answer[] = [];
  return listen(
    (id) => {
      answers = [...(transcript.answers[id] ?? [])];
    },
    async (body, _, response) => {
      const answer = answers.shift();
      response.writeHead(answer?.status ?? 500, { 'content-type': answer?.type ?? 'application/json' });
      response.end(
        answer === undefined ? '{"error":{"message":"the transcript ends here"}}' : filled(answer.body, body),
      );
    },
  );
}

/** A recording proxy. @param answers is written to */
export async function record(upstream: string, answers: Transcript['answers']): Promise<ModelPlayer> {
  let current: Answer[] = [];
  return listen(
    (id) => {
      current = [];
      answers[id] = current;
    },
    async (body, request, response) => {
      const { authorization } = request.headers;
      const came = await fetch(`${upstream}${(request.url ?? '').replace(/^\/v1/, '')}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
        },
        body,
      });
      const type = came.headers.get('content-type') ?? 'application/json';
      response.writeHead(came.status, { 'content-type': type });
      let said = '';
      const decoder = new TextDecoder();
      for await (const chunk of came.body ?? []) {
        said += decoder.decode(chunk, { stream: true });
        response.write(chunk);
      }
      current.push({ status: came.status, type, body: said });
      response.end();
    },
  );
}

async function listen(
  begin: (id: string) => void,
  answer: (body: string, request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<ModelPlayer> {
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.once('end', () => {
      answer(Buffer.concat(parts).toString('utf8'), request, response).catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    begin,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const toolMessage = z.object({ role: z.literal('tool'), content: z.string(), tool_call_id: z.string() });
const callMessage = z.object({
  tool_calls: z.array(z.object({ id: z.string(), function: z.object({ name: z.string() }) })),
});

function filled(answer: string, request: string): string {
  return answer.replace(/\{\{([a-z_]+)\.([A-Za-z0-9_.]+)\}\}/g, (_, tool: string, path: string) => {
    const { messages } = JSON.parse(request) as { messages: unknown[] };
    const calls = messages.flatMap((message) => callMessage.safeParse(message).data?.tool_calls ?? []);
    const ids = new Set(calls.filter((call) => call.function.name === tool).map(({ id }) => id));
    const content = messages
      .flatMap((message) => toolMessage.safeParse(message).data ?? [])
      .findLast(({ tool_call_id }) => ids.has(tool_call_id))?.content;
    let value: unknown = content === undefined ? undefined : (JSON.parse(content) as unknown);
    for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
    return String(value ?? `no ${path} in the answer of ${tool}`);
  });
}
