import { appendFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { modelApis } from './api.ts';
import type { ScriptedModel } from './script.ts';

export interface ModelServer {
  readonly url: string;
  play(model: ScriptedModel): void;
  close(): void;
}

/** @param log file that requests are written to */
export async function startModelServer(log = process.env.MCP_CLIENTS_LOG): Promise<ModelServer> {
  let model: ScriptedModel | undefined;
  let answers = 0;
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const body = request.method === 'POST' ? await json(request) : undefined;
    if (log !== undefined) appendFileSync(log, `${JSON.stringify({ url: request.url, body })}\n`);
    const api = modelApis.find(({ path }) => path.test(pathname));
    if (api === undefined || model === undefined) {
      // Lists of models and token counts are optional.
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"not here"}}');
      return;
    }
    answers += 1;
    const events = api.write(model.next(api.read(body as never)), String(answers));
    const isWhole = pathname.endsWith(':generateContent') && searchParams.get('alt') !== 'sse';
    if (isWhole) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(events[0]?.data));
      return;
    }
    stream(response, events);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    play(next) {
      model = next;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function stream(response: ServerResponse, events: readonly { event?: string; data: unknown }[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const { event, data } of events) {
    if (event !== undefined) response.write(`event: ${event}\n`);
    response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  }
  response.end();
}
