import { createServer, connect as open, type Socket } from 'node:net';
import { systemClock } from '../../src/machine/clock.ts';

/** A TCP connection from this machine to a server, which can break. */
export interface Link {
  readonly port: number;
  /** Ends all connections and refuses new ones for this long. */
  cut(ms: number): Promise<void>;
  /** Accepts and delivers nothing for this long, without closing anything, and then ends all connections. */
  blackHole(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** @param to a port of this machine, or the path of a Unix socket */
export async function startLink(to: { readonly port: number } | { readonly path: string }): Promise<Link> {
  const sockets = new Set<Socket>();
  let state: 'open' | 'cut' | 'black hole' = 'open';
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  };
  const server = createServer((client) => {
    if (state === 'cut') return void client.destroy();
    track(client);
    if (state === 'black hole') return void client.pause();
    const target = 'port' in to ? open(to.port, '127.0.0.1') : open(to.path);
    track(target);
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.pipe(other);
      one.once('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    async cut(ms) {
      state = 'cut';
      end();
      await systemClock.sleep(ms);
      state = 'open';
    },
    async blackHole(ms) {
      state = 'black hole';
      for (const socket of sockets) {
        socket.unpipe();
        // What arrives is lost, so that the sender never notices a full buffer.
        socket.resume();
      }
      await systemClock.sleep(ms);
      state = 'open';
      end();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      end();
      await closed;
    },
  };
}
