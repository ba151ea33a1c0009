import type { Hono } from 'hono';
import { writePrivateFile } from '../machine/private-file.ts';
import { requireHost } from '../net/host-check.ts';
import { type HttpServer, listenerOf } from '../net/http-server.ts';
import type { ServedTelemetry } from './gateway/served-telemetry.ts';

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

/** Says that a process serves, in the file that is asked for and to whoever started it. */
export async function tellReady<Served>(
  { readyFile, ready }: { readonly readyFile?: string; readonly ready: (served: Served) => Promise<void> },
  served: Served,
): Promise<void> {
  if (readyFile !== undefined) writePrivateFile(readyFile, `${JSON.stringify(served)}\n`);
  await ready(served);
}
