import type { Context, Hono } from 'hono';
import { HttpProblem } from '../../trading/http-problem.ts';
import { type Authenticator, requireClientId } from '../auth/authenticator.ts';
import type { Caller } from '../auth/caller.ts';
import { createProtectedResourceMetadata, METADATA_PATH } from '../auth/protected-resource-metadata.ts';
import { readLimitedBody } from '../routes/request.ts';
import type { Mount, MountedCaller } from './mount.ts';

interface MountParts {
  readonly resource: string;
  readonly issuer: string;
  readonly authenticator: Authenticator;
  readonly inProcessCallers: InProcessCallers;
}

/** Serves a mount at its path, and its metadata at the well-known URL for that path (RFC 9728 §3.1). */
export function addMountRoutes(
  app: Hono,
  mount: Mount,
  { resource, issuer, authenticator: door, inProcessCallers: acting }: MountParts,
): void {
  const { origin } = new URL(resource);
  const metadata = createProtectedResourceMetadata({
    resource: computeMountAudience(resource, mount),
    name: mount.name,
    issuer,
    scopes: Object.keys(mount.scopes),
    requireBoundTokens: mount.requireBoundTokens,
  });
  app.get(
    computeMountMetadataPath(mount),
    door.open((c) => c.json(metadata)),
  );
  const guarded = door.guard([], async (c, caller) =>
    mount.serve(
      await withoutCredentials(c, mount.maxBodyBytes),
      mountedCaller(caller, mount, { app, inProcessCallers: acting, resource }),
    ),
  );
  app.all(mount.path, (c) => {
    const from = c.req.header('origin');
    return from === undefined || from === origin ? guarded(c) : door.open(refuseOrigin)(c);
  });
}

export function computeMountAudience(resource: string, { path }: Pick<Mount, 'path'>): string {
  return `${resource.replace(/\/+$/, '')}${path}`;
}

export function computeMountMetadataPath({ path }: Pick<Mount, 'path'>): string {
  return `${METADATA_PATH}${path}`;
}

/** Rejects a request from another site's page, because the page could misuse its visitor's access. */
function refuseOrigin(): never {
  throw new HttpProblem(403, 'origin_refused', 'requests from pages of other sites are not allowed', {
    hint: 'Send the request from a program, not from a web page of another site.',
  });
}

function mountedCaller(
  caller: Caller,
  mount: Mount,
  {
    app,
    inProcessCallers: acting,
    resource,
  }: Pick<MountParts, 'inProcessCallers' | 'resource'> & { readonly app: Hono },
): MountedCaller {
  const { sub, username, email } = caller;
  const clientId = requireClientId(caller);
  const granted = Object.entries(mount.scopes).filter(([scope]) => caller.scopes.has(scope));
  const there = new Set<string>(granted.flatMap(([, standsFor]) => standsFor));
  return {
    sub,
    clientId,
    username,
    email,
    resource,
    scopes: new Set(granted.map(([scope]) => scope)),
    async fetch(path, init = {}) {
      const request = new Request(new URL(path, resource), init);
      const { signal } = request;
      signal.throwIfAborted();
      return beforeAbort(signal, app.fetch(acting.as(caller, there, request)));
    },
  };
}

/** Rejects when the signal aborts. The request still runs to completion, because it may be changing data. */
async function beforeAbort(signal: AbortSignal, answer: Response | Promise<Response>): Promise<Response> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const CREDENTIALS = ['authorization', 'dpop', 'cookie', 'proxy-authorization'] as const;

async function withoutCredentials(c: Context, maxBodyBytes: number): Promise<Request> {
  const { url, method, signal } = c.req.raw;
  const headers = new Headers(c.req.raw.headers);
  for (const name of CREDENTIALS) headers.delete(name);
  const body = method === 'GET' || method === 'HEAD' ? null : await readLimitedBody(c.req.raw.body, maxBodyBytes);
  return new Request(url, { method, headers, body, signal });
}

/**
 * Stores which caller a mount verified for an in-process request. The request object itself is the key, so a request
 * from the network can't have a caller here.
 */
type InProcessCallers = ReturnType<typeof createInProcessCallers>;

export function createInProcessCallers() {
  const callers = new WeakMap<Request, Caller>();
  return {
    /** Registers the request as made by the caller, with only these scopes. */
    as(caller: Caller, scopes: ReadonlySet<string>, request: Request): Request {
      // A mount's token can't contain an approval, because approvals have their own tokens.
      callers.set(request, {
        ...caller,
        scopes,
        authorizationDetails: undefined,
        approvalEvidence: undefined,
      });
      return request;
    },
    callerOf: (request: Request): Caller | undefined => callers.get(request),
  };
}
