import { once } from 'node:events';
import type { Hono } from 'hono';
import { writePrivateFile } from '../machine/private-file.ts';
import { requireHost } from '../net/host-check.ts';
import { type HttpServer, listenerOf } from '../net/http-server.ts';
import type { ServedTelemetry } from './gateway/served-telemetry.ts';

/** An order may be on its way to the broker, or a model be answering: what is under way gets this long. Milliseconds. */
export const DRAIN_MS = 20_000;

/** Registers what closes a part that was opened. The part that was opened last is closed first. */
export type OnClose = (close: () => unknown) => void;

export interface ServeParts<Served> {
  /** To be stopped is how serving ends, and no error. */
  readonly signal: AbortSignal;
  /** Opens each part. Where one of them fails, those before it are closed. */
  readonly open: (onClose: OnClose) => Promise<Served>;
  /** Told once it serves. */
  readonly ready: (served: Served) => Promise<void>;
  /** Gets what `ready` is told. */
  readonly readyFile?: string | undefined;
  /** Ends it earlier than the signal. */
  readonly done?: (() => Promise<void>) | undefined;
}

/** Opens what is served, says so, and closes it once the signal aborts. */
export async function serve<Served>(parts: ServeParts<Served>): Promise<void> {
  const { signal, readyFile, done } = parts;
  const closers: (() => unknown)[] = [];
  try {
    const served = await parts.open((close) => closers.unshift(close));
    if (readyFile !== undefined) writePrivateFile(readyFile, `${JSON.stringify(served)}\n`);
    await parts.ready(served);
    await Promise.race([signal.aborted ? undefined : once(signal, 'abort'), ...(done ? [done()] : [])]);
  } finally {
    for (const close of closers) await close();
  }
}

/** Answers from now on what is asked under these addresses, or at this machine by who looks after it; anything else is refused. */
export function serveRoutes(
  server: HttpServer,
  app: Hono,
  telemetry: Pick<ServedTelemetry, 'requests'>,
  address: string,
): void {
  const isForUs = requireHost([address, server.url, `http://localhost:${server.port}`]);
  const toRoutes = telemetry.requests(
    listenerOf(app),
    app.routes.map(({ path }) => path),
  );
  server.serve((request, response) => {
    if (isForUs(request, response)) toRoutes(request, response);
  });
}
