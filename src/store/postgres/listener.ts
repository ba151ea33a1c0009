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
  return keepSession(pool, `LISTEN ${channel}`, async () => heard(undefined), heard);
}

/**
 * Runs a statement whose effect lasts as long as its connection, on a dedicated connection. Runs it again after each
 * reconnect.
 * @param started called each time after the statement; if the promise is rejected, the connection counts as broken
 * @param heard called with the payload of each notification
 */
export function keepSession(
  pool: Pick<Pool, 'connect'>,
  statement: string,
  started: () => Promise<void>,
  heard: (payload: string) => void = () => undefined,
): ChannelListener {
  const closing = new AbortController();
  let retry: NodeJS.Timeout | undefined;
  let client: PoolClient | undefined;
  const again = () => {
    if (!closing.signal.aborted) retry = setTimeout(() => void open(), RECONNECT_DELAY_MS);
  };
  const open = async (): Promise<void> => {
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
      await opened.query(statement);
      await started();
    } catch {
      broken();
    }
    // The session was closed while this connection was being opened.
    if (closing.signal.aborted) release();
  };
  const release = () => {
    const mine = client;
    client = undefined;
    mine?.release(true);
  };
  const opening = open();
  return {
    async close() {
      closing.abort();
      clearTimeout(retry);
      await opening;
      release();
    },
  };
}
