import type { Caller } from '../door/caller.ts';

/**
 * Requests that this process makes for a caller whose token it has verified already, at another of its doors. Which they
 * are is known by the request object itself: nothing that comes over the network can be one.
 */
export interface Acting {
  /** As the caller, with no more than these scopes. */
  as(caller: Caller, scopes: ReadonlySet<string>, request: Request): Request;
  callerOf(request: Request): Caller | undefined;
}

export function createActing(): Acting {
  const callers = new WeakMap<Request, Caller>();
  return {
    as(caller, scopes, request) {
      // Approvals are proved by tokens of their own: none is passed on.
      callers.set(request, {
        ...caller,
        scopes,
        authorizationDetails: undefined,
        approvalEvidence: undefined,
      });
      return request;
    },
    callerOf: (request) => callers.get(request),
  };
}
