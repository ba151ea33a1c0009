import { createHash } from 'node:crypto';
import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { McpCaller } from '../mcp-caller.ts';
import { createSeals } from './seals.ts';

/** As long as a person takes to find a password. */
const LIFE_SECONDS = 600;
const QUESTION = 'connect';

/** A `tools/call`, as it must come back. */
interface AskedCall {
  readonly caller: McpCaller;
  readonly name: string;
  readonly args: unknown;
  readonly context: ServerContext;
  /** What the client said of itself when it connected; one of the 2026 revision says it with each request. */
  readonly clientCapabilities: unknown;
}

/**
 * Has the client show its person an address at which they connect an account elsewhere (elicitation in URL mode). Nothing is
 * kept: the question comes back with the call, sealed for this caller, these arguments and ten minutes. It is worth no more
 * than that: who gets connected is decided by the person's own sign-in there.
 */
export type AccountQuestions = ReturnType<typeof createAccountQuestions>;

export function createAccountQuestions(lifeSeconds = LIFE_SECONDS) {
  const seals = createSeals<typeof QUESTION>(lifeSeconds);
  return {
    /** Undefined where `error` is about nothing that a person could connect, or the client can't show an address. */
    async ask(error: unknown, call: AskedCall): Promise<InputRequiredResult | undefined> {
      const url = showsAddresses(call) ? await addressFor(error, call.caller) : undefined;
      if (url === undefined || !isTradeAgentError(error)) return undefined;
      const message = `${error.message}. Open this page to connect it: you sign in there yourself.`;
      return inputRequired({
        inputRequests: { [QUESTION]: inputRequired.elicitUrl({ message, url }) },
        requestState: await seals.seal(QUESTION, digestOf(call)),
      }) as InputRequiredResult;
    },
    /**
     * What became of the question; undefined for a call that comes the first time.
     * @throws {ProtocolError} for a state that was not sealed here, or for another caller or call, or too long ago
     */
    async answered(call: AskedCall): Promise<'accept' | 'decline' | 'cancel' | undefined> {
      const { mcpReq } = call.context;
      const state = mcpReq.requestState();
      if (typeof state !== 'string') return undefined;
      await seals.open(state, digestOf(call)).catch(() => {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState');
      });
      const answer = inputResponse(mcpReq.inputResponses, QUESTION);
      return answer.kind === 'elicit' ? answer.action : 'cancel';
    },
  };
}

/** An error with where to connect what is missing, for a client that can only pass it on. */
export async function withAddress(error: unknown, caller: McpCaller): Promise<unknown> {
  const address = await addressFor(error, caller);
  if (address === undefined || !isTradeAgentError(error)) return error;
  const { code, message, hint, details } = error;
  return new TradeAgentError(code, message, {
    hint: `${hint === undefined ? '' : `${hint} `}Or have the user open ${address} and sign in there; then call this again.`,
    details,
  });
}

async function addressFor(error: unknown, caller: McpCaller): Promise<string | undefined> {
  if (!isTradeAgentError(error) || error.code !== 'connection_required') return undefined;
  const { connection } = error.details;
  // Where it can't be said, the error stands as it is.
  return typeof connection === 'string'
    ? await caller.connectAddress?.(connection).catch(() => undefined)
    : undefined;
}

const canShow = z.object({ elicitation: z.object({ url: z.looseObject({}) }) });

function showsAddresses({ context, clientCapabilities }: AskedCall): boolean {
  const envelope = context.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  return canShow.safeParse(envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? clientCapabilities).success;
}

function digestOf({ caller: { sub, clientId }, name, args }: AskedCall): string {
  return createHash('sha256')
    .update(canonicalize([sub, clientId, name, args]) ?? '')
    .digest('base64url');
}
