import type { Pool, PoolClient } from 'pg';

/** Before it is tried again to listen, milliseconds. */
const RETRY_MS = 1_000;

export interface Listener {
  /** Gives the connection back. */
  close(): Promise<void>;
}

/**
 * Listens to a channel on a connection of its own, which it makes again where it breaks (PostgreSQL manual, LISTEN).
 * @param channel letters, digits and `_`
 * @param heard what was told; undefined each time it begins to listen, since something may have been told before
 */
export function listenTo(
  pool: Pick<Pool, 'connect'>,
  channel: string,
  heard: (payload: string | undefined) => void,
): Listener {
  const closing = new AbortController();
  let retry: NodeJS.Timeout | undefined;
  let client: PoolClient | undefined;
  const again = () => {
    if (!closing.signal.aborted) retry = setTimeout(() => void listen(), RETRY_MS);
  };
  const listen = async (): Promise<void> => {
    let opened: PoolClient;
    try {
      opened = await pool.connect();
    } catch {
      return again();
    }
    const broken = () => {
      if (client !== opened) return;
      client = undefined;
      opened.release(true);
      again();
    };
    client = opened;
    opened.on('error', broken);
    opened.on('end', broken);
    opened.on('notification', ({ payload = '' }) => heard(payload));
    try {
      await opened.query(`LISTEN ${channel}`);
      heard(undefined);
    } catch {
      broken();
    }
    // Closed while it was opened.
    if (closing.signal.aborted) release();
  };
  const release = () => {
    const mine = client;
    client = undefined;
    mine?.release(true);
  };
  const listening = listen();
  return {
    async close() {
      closing.abort();
      clearTimeout(retry);
      await listening;
      release();
    },
  };
}
