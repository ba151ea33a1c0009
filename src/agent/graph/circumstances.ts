import { type BaseMessage, HumanMessage } from '@langchain/core/messages';
import type { Session } from '../../auth/session/session.ts';

/*
 * What differs from one prompt to the next: the minute, and who is signed in where. It stands behind the person's words,
 * after tools and fixed text, and is kept with them as it was then. So each request begins with all of the one before it,
 * byte by byte, and a model's server need not read that again: llama.cpp, vLLM and OpenAI keep what they read of a
 * prompt, up to the first byte that differs.
 */

/** Under which name a message keeps it. */
const KEPT_AS = 'circumstances';

/** No text that anybody else chose stands in it, not even the user's name as their provider tells it. */
export function circumstances(session: Session | undefined, now: number): string {
  const who =
    session === undefined
      ? 'Nobody is signed in: you do not know who the user is and can see nothing of theirs. Say so, and name the command "trade-agent login".'
      : `The user is signed in, on the ${session.profile.environment} account of profile "${session.profile.name}"; whoami tells who they are.`;
  return `It was ${new Date(now).toISOString().slice(0, 16)}Z when the user said this. ${who}`;
}

/** The message, with what it was said under. Its own text stays the person's alone. */
export function saidUnder(message: HumanMessage, under: string): HumanMessage {
  return new HumanMessage({
    content: message.content,
    additional_kwargs: { ...message.additional_kwargs, [KEPT_AS]: under },
  });
}

/** The conversation as a language model is given it. */
export function withCircumstances(messages: readonly BaseMessage[]): BaseMessage[] {
  return messages.map((message) => {
    const under = message.additional_kwargs[KEPT_AS];
    return HumanMessage.isInstance(message) && typeof under === 'string'
      ? new HumanMessage(`${message.text}\n\n[${under}]`)
      : message;
  });
}
