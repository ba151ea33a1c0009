import { Agent, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { type HttpServer, listenOnLoopback } from '../../src/net/http-server.ts';

/** The balancer gives up on one that does not answer, as those do that people use. */
const ANSWER_MS = 30_000;

/**
 * One address in front of several, which are asked in turn.
 * @param ports of those that are there now
 * @param options.port its own; any free one by default
 * @param options.isLost whether a request with this path gets lost on the way
 */
export async function startBalancer(
  ports: () => readonly number[],
  { port = 0, isLost = () => false }: { readonly port?: number; readonly isLost?: (path: string) => boolean } = {},
): Promise<Pick<HttpServer, 'url' | 'close'>> {
  const balancer = await listenOnLoopback(port, () => 0);
  let next = 0;
  balancer.serve((request, response) => {
    if (isLost(request.url ?? '')) return void response.destroy();
    const there = ports();
    next = (next + 1) % there.length;
    const inTurn = [...there.slice(next), ...there.slice(0, next)];
    void pass(request, response, inTurn).catch(() => response.destroy());
  });
  return balancer;
}

const agent = new Agent({ keepAlive: true });

/**
 * Hands a request on as it is, and its answer back. Where one does not answer at all the next is asked, as docs/operate/OPERATIONS.md has
 * it; 502 where none does.
 */
async function pass(request: IncomingMessage, response: ServerResponse, ports: readonly number[]): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  for (const port of ports) {
    const answer = await ask(request, body, port, gone.signal);
    if (answer === undefined) continue;
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.once('error', () => response.destroy());
    answer.pipe(response);
    return;
  }
  response.writeHead(502, { 'content-type': 'application/json' }).end('{}');
}

/** Undefined where there is no answer. */
function ask(
  { method, url, headers }: IncomingMessage,
  body: Buffer,
  port: number,
  signal: AbortSignal,
): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    const to = { agent, host: '127.0.0.1', port, method, path: url, headers, timeout: ANSWER_MS, signal };
    const passed = send(to, resolve);
    passed.once('timeout', () => passed.destroy());
    passed.on('error', () => resolve(undefined));
    passed.end(body);
  });
}
