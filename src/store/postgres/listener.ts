import type { Pool, PoolClient } from 'pg';

const RECONNECT_DELAY_MS = 1_000;

export interface ChannelListener {
  close(): Promise<void>;
}

/**
 * Listens to a channel on a dedicated connection, and reconnects if the connection breaks (PostgreSQL manual, LISTEN).
 * @param channel letters, digits and `_`
 * @param heard called with the payload of each notification, and with undefined after each connect or reconnect,
 * because earlier notifications may have been lost
 */
export function listenToChannel(
  pool: Pick<Pool, 'connect'>,
  channel: string,
  heard: (payload: string | undefined) => void,
): ChannelListener {
  const closing = new AbortController();
  let retry: NodeJS.Timeout | undefined;
  let client: PoolClient | undefined;
  const again = () => {
    if (!closing.signal.aborted) retry = setTimeout(() => void listen(), RECONNECT_DELAY_MS);
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
    // The listener was closed while this connection was being opened.
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
