import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A free port for a server whose address must be known before it listens.
 *
 * It lies below the ports that the system gives out by itself (from 32768 on Linux, 49152 elsewhere), so no connection and
 * no other server of the tests can be given the same one before this server has it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const listening = once(server, 'listening');
    server.listen(port, '127.0.0.1');
    try {
      await listening;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    const closed = once(server, 'close');
    server.close();
    await closed;
    return port;
  }
}
