import { connect, createServer, type Server } from 'node:net';

/** Sends each connection to the home's address to the next process that accepts it. */
export async function balance(address: string, ports: readonly number[]): Promise<Server> {
  let next = 0;
  const balancer = createServer((client) => {
    const attempt = (left: number) => {
      next += 1;
      const server = connect(ports[next % ports.length] as number, '127.0.0.1');
      server.once('connect', () => client.pipe(server).pipe(client));
      server.once('error', () => (left > 1 ? attempt(left - 1) : client.destroy()));
      client.once('error', () => server.destroy());
      client.once('close', () => server.destroy());
    };
    attempt(ports.length);
  });
  await new Promise<void>((resolve) => balancer.listen(Number(new URL(address).port), 'localhost', resolve));
  return balancer;
}
