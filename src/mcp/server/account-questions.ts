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
import { isTradeAgentError } from '../../errors/errors.ts';
import { connectUrl } from '../answers/connect-url.ts';
import type { McpCaller } from '../mcp-caller.ts';
import { createSeals } from './seals.ts';

/** Lifetime of a question, long enough for a person to look up a password. */
const QUESTION_TTL_SECONDS = 600;
const QUESTION = 'connect';

/** The `tools/call` that the client must repeat with the answer. */
interface QuestionedCall {
  readonly caller: McpCaller;
  readonly name: string;
  readonly args: unknown;
  readonly context: ServerContext;
  /** Capabilities that a 2025 client declared when it connected. 2026 clients declare them in each request. */
  readonly clientCapabilities: unknown;
}

/**
 * Asks the client to show its user a URL where the user can connect an account (URL elicitation). Nothing is stored:
 * the client sends the question back when it repeats the call. The question is sealed for the caller and the arguments,
 * and expires after ten minutes. The account is connected for the person who signs in at the URL.
 */
export type AccountQuestions = ReturnType<typeof createAccountQuestions>;

export function createAccountQuestions(lifeSeconds = QUESTION_TTL_SECONDS) {
  const seals = createSeals<typeof QUESTION>(lifeSeconds);
  return {
    /** Returns the question. Undefined if `error` is not about a missing account, or if the client can't show URLs. */
    async ask(error: unknown, call: QuestionedCall): Promise<InputRequiredResult | undefined> {
      const url = supportsUrlElicitation(call) ? await connectUrl(error, call.caller) : undefined;
      if (url === undefined || !isTradeAgentError(error)) return undefined;
      const message = `${error.message}. Open this page to connect the account. You sign in there yourself.`;
      return inputRequired({
        inputRequests: { [QUESTION]: inputRequired.elicitUrl({ message, url }) },
        requestState: await seals.seal(QUESTION, callDigest(call)),
      }) as InputRequiredResult;
    },
    /**
     * Returns the answer to the question, or undefined for a first call.
     * @throws {ProtocolError} for a state that was forged, has expired, or was sealed for another caller or call
     */
    async answered(call: QuestionedCall): Promise<'accept' | 'decline' | 'cancel' | undefined> {
      const { mcpReq } = call.context;
      const state = mcpReq.requestState();
      if (typeof state !== 'string') return undefined;
      await seals.open(state, callDigest(call)).catch(() => {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState');
      });
      const answer = inputResponse(mcpReq.inputResponses, QUESTION);
      return answer.kind === 'elicit' ? answer.action : 'cancel';
    },
  };
}

const urlElicitationSchema = z.object({ elicitation: z.object({ url: z.looseObject({}) }) });

function supportsUrlElicitation({ context, clientCapabilities }: QuestionedCall): boolean {
  const envelope = context.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  return urlElicitationSchema.safeParse(envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? clientCapabilities).success;
}

function callDigest({ caller: { sub, clientId }, name, args }: QuestionedCall): string {
  return createHash('sha256')
    .update(canonicalize([sub, clientId, name, args]) ?? '')
    .digest('base64url');
}
