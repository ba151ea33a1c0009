import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that can keep one request for an order to itself, and deliver it much later. */
export interface SwallowingProxy {
  readonly port: number;
  /** The next `POST /v2/orders` is swallowed. */
  arm(): void;
  /** When it was swallowed, milliseconds since the epoch; undefined if it was not yet. */
  swallowedAt(): number | undefined;
  /** Sends what was swallowed to the broker over a new connection. */
  deliver(): Promise<void>;
  close(): void;
}

export async function startSwallowingProxy(port: number, brokerPort: number): Promise<SwallowingProxy> {
  let armed = false;
  let swallowedAt: number | undefined;
  const kept: Buffer[] = [];
  const sockets = new Set<Socket>();
  const toBroker = () => connect(brokerPort, '127.0.0.1');
  const server = createServer((client) => {
    const broker = toBroker();
    let swallows = false;
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
    }
    client.on('data', (chunk) => {
      if (armed && chunk.toString('latin1').startsWith('POST /v2/orders ')) {
        armed = false;
        swallows = true;
        swallowedAt = Date.now();
      }
      if (swallows) kept.push(chunk);
      else broker.write(chunk);
    });
    client.once('close', () => broker.destroy());
    broker.on('data', (chunk) => client.write(chunk));
    // A connection of which a request was swallowed looks alive to the gateway.
    broker.once('close', () => {
      if (!swallows) client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    arm() {
      armed = true;
    },
    swallowedAt: () => swallowedAt,
    async deliver() {
      const late = toBroker();
      const { promise: answered, resolve, reject } = Promise.withResolvers<void>();
      late.once('error', reject);
      late.once('data', () => resolve());
      late.write(Buffer.concat(kept));
      await answered;
      late.destroy();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
