import type { Context, Hono } from 'hono';
import type { Scope } from '../../oauth/scopes.ts';
import type { Caller } from '../door/caller.ts';
import type { Door } from '../door/door.ts';

type Handle = (c: Context, caller: Caller) => Promise<Response>;

/** Adds routes for callers whose token has all of these scopes. */
export function guarded(app: Hono, door: Pick<Door, 'guard'>) {
  const on = (method: string) => (path: string, scopes: readonly Scope[], handle: Handle) =>
    void app.on(method, path, door.guard(scopes, handle));
  return { get: on('GET'), post: on('POST'), put: on('PUT'), patch: on('PATCH'), delete: on('DELETE') };
}
