import {
  type JSONRPCMessage,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type Transport,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Clock } from '../../machine/clock.ts';
import { followEvents } from '../../tools/gateway/follow-events.ts';
import type { McpCaller } from '../mcp-caller.ts';
import { formatResourceUri, parseResourceUri } from '../resources/resource-uri.ts';
import { MAX_SUBSCRIPTIONS } from '../resources/subscriptions.ts';

const listenSchema = z.looseObject({
  method: z.literal('subscriptions/listen'),
  params: z.looseObject({ notifications: z.looseObject({ resourceSubscriptions: z.array(z.string()) }) }),
});

/**
 * Notifies a client over stdio of changes to its proposals. The gateway's events are followed from the client's first
 * subscription until the connection ends.
 */
export function createProposalUpdates(
  callerOf: () => Promise<McpCaller>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
) {
  /** The URIs that a client of a 2025 revision subscribed to. For other clients, the SDK knows the subscriptions. */
  const subscribed = new Set<string>();
  let notify: (uri: string) => void = () => undefined;
  let isFollowing = false;
  const follow = async () => {
    const caller = await callerOf();
    await followEvents(caller.gateway, {
      clock,
      signal,
      changed(proposal) {
        if (caller.owns(proposal)) notify(formatResourceUri({ scheme: 'proposal', name: proposal.id }));
      },
    });
  };
  const begin = () => {
    if (isFollowing) return;
    isFollowing = true;
    // If nobody is signed in, this ends, and the next subscription starts it again.
    follow()
      .catch(() => undefined)
      .finally(() => {
        isFollowing = false;
      });
  };
  return {
    /** The subscriptions of a client of a 2025 revision. */
    subscriptions: {
      add(uri: string): void {
        if (subscribed.size >= MAX_SUBSCRIPTIONS && !subscribed.has(uri)) {
          throw new ProtocolError(
            ProtocolErrorCode.InvalidParams,
            `a session may subscribe to at most ${MAX_SUBSCRIPTIONS} resources; unsubscribe from one first`,
          );
        }
        subscribed.add(uri);
        begin();
      },
      remove: (uri: string): void => void subscribed.delete(uri),
    },
    /** Sends notifications through the server that serves the connection. */
    attach(server: Server, era: 'legacy' | 'modern'): void {
      notify = (uri) => {
        if (era === 'modern' || subscribed.has(uri)) void server.sendResourceUpdated({ uri }).catch(() => undefined);
      };
    },
    /** Wraps the transport, because the SDK serves `subscriptions/listen` itself. */
    observe(inner: Transport): Transport {
      const outer: Transport = {
        async start() {
          inner.onmessage = (message, extra) => outer.onmessage?.(narrow(message, begin), extra);
          inner.onerror = (error) => outer.onerror?.(error);
          inner.onclose = () => outer.onclose?.();
          await inner.start();
        },
        send: (message, options) => inner.send(message, options),
        close: () => inner.close(),
      };
      return outer;
    },
  };
}

/** Leaves out of a `subscriptions/listen` the resources that have no notifications, and those beyond the limit. */
function narrow(message: JSONRPCMessage, begin: () => void): JSONRPCMessage {
  const listen = listenSchema.safeParse(message).data;
  if (listen === undefined) return message;
  const { notifications } = listen.params;
  const resourceSubscriptions = notifications.resourceSubscriptions
    .filter((uri) => parseResourceUri(uri)?.scheme === 'proposal')
    .slice(0, MAX_SUBSCRIPTIONS);
  if (resourceSubscriptions.length > 0) begin();
  return {
    ...message,
    params: { ...listen.params, notifications: { ...notifications, resourceSubscriptions } },
  } as JSONRPCMessage;
}
