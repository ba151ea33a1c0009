import { createMcpHandler, InMemoryServerEventBus, type McpServerFactory } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createStreamLimit } from '../../net/event-stream.ts';
import { MAX_SUBSCRIPTIONS } from '../resources/subscriptions.ts';

/** The resources that a stream follows, and their changes. */
interface FollowedResources {
  /** The requested URIs that exist and whose changes the caller may see. */
  readonly uris: readonly string[];
  /** Yields the URI of a resource after each change. Ends when the caller's access ends. */
  readonly updates: AsyncIterable<string>;
}

/** Starts to follow resources. No change after the returned promise resolves is missed. */
export type FollowResources<Caller> = (
  caller: Caller,
  uris: readonly string[],
  signal: AbortSignal,
) => Promise<FollowedResources>;

/** Maximum number of open streams, per caller and in total. Each keeps a request and a stream of events open. */
const [MAX_PER_CALLER, MAX_IN_TOTAL] = [4, 200];

const listenSchema = z.looseObject({
  id: z.union([z.string(), z.number()]),
  method: z.literal('subscriptions/listen'),
  params: z.looseObject({
    notifications: z.looseObject({ resourceSubscriptions: z.array(z.string()).min(1) }),
  }),
});
type ListenRequest = z.output<typeof listenSchema>;

/** Returns the request if it is a `subscriptions/listen` for resources (revision 2026-07-28). */
export function parseListenRequest(body: unknown): ListenRequest | undefined {
  return listenSchema.safeParse(body).data;
}

interface ListenCall<Caller> {
  readonly request: Request;
  readonly body: ListenRequest;
  readonly caller: Caller;
  /** Identifies the caller in the limit on streams. */
  readonly callerKey: string;
  readonly authInfo: NonNullable<Parameters<McpServerFactory>[0]['authInfo']>;
}

/**
 * Serves `subscriptions/listen`. Each stream has its own handler and event bus, so that no caller can be notified of
 * another's changes, even if both name the same URI.
 */
export function createListenStreams<Caller>(factory: McpServerFactory, follow: FollowResources<Caller>) {
  const perCaller = createStreamLimit(MAX_PER_CALLER);
  const inTotal = createStreamLimit(MAX_IN_TOTAL);
  return async ({ request, body, caller, callerKey, authInfo }: ListenCall<Caller>): Promise<Response> => {
    const leaveCaller = perCaller.enter(callerKey);
    const leaveTotal = leaveCaller === undefined ? undefined : inTotal.enter('all');
    const over = new AbortController();
    const signal = AbortSignal.any([request.signal, over.signal]);
    let isStreaming = false;
    const leave = () => {
      over.abort();
      leaveCaller?.();
      leaveTotal?.();
    };
    try {
      if (leaveTotal === undefined) return refuse(body, 'too many subscriptions are open; close one first');
      const requested = body.params.notifications.resourceSubscriptions;
      if (requested.length > MAX_SUBSCRIPTIONS) {
        return refuse(body, `a subscription may name at most ${MAX_SUBSCRIPTIONS} resources`);
      }
      const { uris, updates } = await follow(caller, requested, signal);
      const bus = new InMemoryServerEventBus();
      const handler = createMcpHandler(factory, {
        legacy: 'reject',
        bus: {
          publish: (event) => bus.publish(event),
          subscribe(listener) {
            isStreaming = true;
            const unsubscribe = bus.subscribe(listener);
            // The SDK unsubscribes when the stream ends, for whatever reason.
            return () => {
              unsubscribe();
              leave();
            };
          },
        },
      });
      // The acknowledgment names the resources that are followed. Others are left out, as if they did not exist.
      const notifications = { resourceSubscriptions: uris };
      const parsedBody = { ...body, params: { ...body.params, notifications } };
      const response = await handler.fetch(request, { authInfo, parsedBody });
      if (isStreaming) void publish(updates, handler);
      return response;
    } catch {
      return refuse(body, 'the resources could not be followed; try again');
    } finally {
      if (!isStreaming) leave();
    }
  };
}

async function publish(updates: AsyncIterable<string>, handler: ReturnType<typeof createMcpHandler>): Promise<void> {
  try {
    for await (const uri of updates) handler.notify.resourceUpdated(uri);
  } catch {
    // The stream ends below, and the client subscribes again.
  } finally {
    await handler.close();
  }
}

/** Responds with a JSON-RPC internal error, as the SDK does when its own limit is reached. */
function refuse({ id }: ListenRequest, message: string): Response {
  return Response.json({ jsonrpc: '2.0', id, error: { code: -32603, message } });
}
