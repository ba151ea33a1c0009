import type { z } from 'zod';
import { CANCEL_SCOPE, READ_SCOPES, type Scope } from '../../oauth/scopes.ts';
import { createGatewayRequests, type GatewayAccess, parseResponseBody } from '../../tools/gateway/gateway-requests.ts';
import { defined } from '../../values/defined.ts';
import { type AgentOperation, agentOperations, IDEMPOTENCY_KEY_HEADER, type OperationName } from './protocol.ts';

const [MARKET_READ] = READ_SCOPES;

export type OperationResponse<Name extends OperationName> = (typeof agentOperations)[Name] extends {
  readonly answer: infer Answer extends z.ZodType;
}
  ? z.output<Answer>
  : undefined;

interface CallOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly key?: string;
  readonly signal?: AbortSignal;
  readonly ms?: number;
  /** Overrides the scopes that the operation implies. */
  readonly scopes?: readonly Scope[];
}

export interface RemoteRequests {
  /** Calls an operation. @throws {TradeAgentError} the server's refusal; `gateway_unreachable`; the signal's reason */
  call<Name extends OperationName>(name: Name, options?: CallOptions): Promise<OperationResponse<Name>>;
  /** Opens the stream of a run's events after `lastEventId`. @throws the same errors as `call` */
  events(run: string, lastEventId: string | undefined, until: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

/** Creates the client. @param session a session whose profile has the server as its gateway */
export function createRemoteRequests(session: GatewayAccess): RemoteRequests {
  const { request, open } = createGatewayRequests(session, {});
  return {
    async call(name, options = {}) {
      const operation: AgentOperation = agentOperations[name];
      const { body, key, signal, ms } = options;
      const scopes = options.scopes ?? (operation.reads === true ? [MARKET_READ] : [CANCEL_SCOPE]);
      const answer = await request(
        operationPath(operation, options),
        {
          ...(operation.method === 'get' ? {} : { method: operation.method.toUpperCase() }),
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...(key === undefined ? {} : { [IDEMPOTENCY_KEY_HEADER]: key }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          ...defined({ signal }),
        },
        scopes,
        ms,
      );
      return (
        operation.answer === undefined ? undefined : parseResponseBody(operation.answer, answer)
      ) as OperationResponse<typeof name>;
    },
    events(run, lastEventId, until) {
      const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      return open(operationPath(agentOperations.runEvents, { params: { run } }), headers, MARKET_READ, until);
    },
  };
}

function operationPath({ path }: AgentOperation, { params = {}, query }: CallOptions): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  return query === undefined ? filled : `${filled}?${new URLSearchParams(query)}`;
}
