import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that can keep requests for orders to itself, and deliver them much later. */
export interface SwallowingProxy {
  readonly port: number;
  /** Every `POST /v2/orders` is swallowed from now on: the gateway may send an order again while its approval lives. */
  arm(): void;
  /** Later ones pass again. */
  disarm(): void;
  /** When the first was swallowed, milliseconds since the epoch; undefined if none was yet. */
  swallowedAt(): number | undefined;
  /** Sends what was swallowed to the broker, each request over a new connection. @returns how many there were */
  deliver(): Promise<number>;
  close(): void;
}

export async function startSwallowingProxy(port: number, brokerPort: number): Promise<SwallowingProxy> {
  let armed = false;
  let swallowedAt: number | undefined;
  const kept: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const toBroker = () => connect(brokerPort, '127.0.0.1');
  const server = createServer((client) => {
    const broker = toBroker();
    let swallowed: Buffer[] | undefined;
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
    }
    client.on('data', (chunk) => {
      if (armed && swallowed === undefined && chunk.toString('latin1').startsWith('POST /v2/orders ')) {
        swallowed = [];
        kept.push(swallowed);
        swallowedAt ??= Date.now();
      }
      if (swallowed === undefined) broker.write(chunk);
      else swallowed.push(chunk);
    });
    client.once('close', () => broker.destroy());
    broker.on('data', (chunk) => client.write(chunk));
    // A connection of which a request was swallowed looks alive to the gateway.
    broker.once('close', () => {
      if (swallowed === undefined) client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    arm() {
      armed = true;
    },
    disarm() {
      armed = false;
    },
    swallowedAt: () => swallowedAt,
    async deliver() {
      for (const chunks of kept) {
        const late = toBroker();
        const { promise: answered, resolve, reject } = Promise.withResolvers<void>();
        late.once('error', reject);
        late.once('data', () => resolve());
        late.write(Buffer.concat(chunks));
        await answered;
        late.destroy();
      }
      return kept.length;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
