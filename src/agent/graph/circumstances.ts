import { type BaseMessage, HumanMessage } from '@langchain/core/messages';
import type { Session } from '../../auth/session/session.ts';

/*
 * What differs between prompts (time, who is signed in) follows the person's words and is stored with them. Each
 * request then starts with the bytes of the one before, so that a model server's prompt cache (llama.cpp, vLLM, OpenAI)
 * applies.
 */

const KEPT_AS = 'circumstances';

/** Contains no text that anybody else chose, not even the user's display name. */
export function circumstances(session: Session | undefined, now: number): string {
  const who =
    session === undefined
      ? 'Nobody is signed in: you do not know who the user is and can see nothing of theirs. Say so, and name the command "trade-agent login".'
      : `The user is signed in, on the ${session.profile.environment} account of profile "${session.profile.name}"; whoami tells who they are.`;
  return `It was ${new Date(now).toISOString().slice(0, 16)}Z when the user said this. ${who}`;
}

/** The text itself stays the person's alone. */
export function saidUnder(message: HumanMessage, under: string): HumanMessage {
  return new HumanMessage({
    content: message.content,
    additional_kwargs: { ...message.additional_kwargs, [KEPT_AS]: under },
  });
}

export function withCircumstances(messages: readonly BaseMessage[]): BaseMessage[] {
  return messages.map((message) => {
    const under = message.additional_kwargs[KEPT_AS];
    return HumanMessage.isInstance(message) && typeof under === 'string'
      ? new HumanMessage(`${message.text}\n\n[${under}]`)
      : message;
  });
}
