import { once } from 'node:events';
import type { Hono } from 'hono';
import { writePrivateFile } from '../machine/private-file.ts';
import { reportReady } from '../machine/service-manager.ts';
import { createHostCheck } from '../net/host-check.ts';
import { createRequestListener, type HttpServer } from '../net/http-server.ts';
import type { ServedTelemetry } from './gateway/served-telemetry.ts';
import { logWhenAnswered, type RequestLogDeps, withRequestContext } from './gateway/server-log.ts';

/** Time in milliseconds to wait for requests in progress, such as an order that is being sent to the broker. */
export const DRAIN_TIMEOUT_MS = 20_000;

/** Registers a cleanup. Cleanups run in reverse order. */
export type RegisterCleanup = (close: () => unknown) => void;

export interface ServeOptions<Served> {
  /** Stops the server without an error when it aborts. */
  readonly signal: AbortSignal;
  /** Opens everything that is served. If this fails, the cleanups registered so far are run. */
  readonly open: (onClose: RegisterCleanup) => Promise<Served>;
  readonly ready: (served: Served) => Promise<void>;
  readonly readyFile?: string | undefined;
  /** Returns a promise. The server also stops when the promise resolves. */
  readonly done?: (() => Promise<void>) | undefined;
}

/** Opens everything that is served, reports readiness, and closes everything when the signal aborts. */
export async function serve<Served>(options: ServeOptions<Served>): Promise<void> {
  const { signal, readyFile, done } = options;
  const closers: (() => unknown)[] = [];
  try {
    const served = await options.open((close) => closers.unshift(close));
    if (readyFile !== undefined) writePrivateFile(readyFile, `${JSON.stringify(served)}\n`);
    await options.ready(served);
    // Clients may connect from now on, because `open` has checked the database and opened the listener.
    const manager = await reportReady();
    closers.unshift(manager.stopping);
    closers.push(manager.close);
    await Promise.race([signal.aborted ? undefined : once(signal, 'abort'), ...(done ? [done()] : [])]);
  } finally {
    await closeAll(closers);
  }
}

/** Runs every cleanup, even after one has failed. @throws the first failure */
async function closeAll(closers: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers) {
    await Promise.resolve()
      .then(close)
      .catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** Serves requests whose host is this address or this machine. Rejects and logs requests for any other host. */
export function serveRoutes(
  server: HttpServer,
  app: Hono,
  address: string,
  parts: RequestLogDeps & { readonly telemetry: Pick<ServedTelemetry, 'requests'> },
): void {
  const isForUs = createHostCheck([address, server.url, `http://localhost:${server.port}`]);
  const toRoutes = parts.telemetry.requests(
    createRequestListener(app),
    app.routes.map(({ path }) => path),
  );
  server.serve(
    withRequestContext((request, response) => {
      if (isForUs(request, response)) toRoutes(request, response);
      else logWhenAnswered(request, response, parts);
    }),
  );
}
