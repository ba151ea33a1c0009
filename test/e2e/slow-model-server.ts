import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A model's server that says only what it is told to, piece by piece. */
export interface SlowModelServer {
  readonly url: string;
  asked(): Promise<void>;
  say(text: string): void;
  finish(): void;
  close(): Promise<void>;
}

export async function slowModelServer(): Promise<SlowModelServer> {
  let response: ServerResponse | undefined;
  let arrived: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const server = createServer((request, answer) => {
    request.resume();
    request.once('end', () => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      answer.flushHeaders();
      response = answer;
      arrived();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const send = (choice: object) =>
    response?.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'slow', choices: [choice] })}\n\n`,
    );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: () => first,
    say: (text) => send({ index: 0, delta: { role: 'assistant', content: text }, finish_reason: null }),
    finish: () => {
      send({ index: 0, delta: {}, finish_reason: 'stop' });
      response?.end('data: [DONE]\n\n');
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
