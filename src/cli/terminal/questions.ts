import { TradeAgentError } from '../../errors/errors.ts';
import type { Io } from './io.ts';

interface PromptContext {
  readonly io: Io;
  readonly signal: AbortSignal;
}

/** Asks the person to choose an answer and returns its index. Enter alone selects the first answer. */
export async function promptForChoice(
  asked: PromptContext,
  question: string,
  answers: readonly string[],
): Promise<number> {
  asked.io.talk(question);
  answers.forEach((answer, index) => {
    asked.io.talk(`  ${index + 1}  ${answer}`);
  });
  const chosen = await promptUntilValid(
    asked,
    'Choose [1]: ',
    (text) => text === '' || (/^\d$/.test(text) && Number(text) >= 1 && Number(text) <= answers.length),
    `Type a number from 1 to ${answers.length}, or press Enter for 1.`,
  );
  return chosen === '' ? 0 : Number(chosen) - 1;
}

/** Asks a yes-or-no question on the terminal. Enter alone means no. */
export async function askYesNo({ io, signal }: PromptContext, question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await io.prompt(`${question} [y/N] `, signal)).trim());
}

/** Shows text and asks a yes-or-no question. @throws {TradeAgentError} `usage` if there is no terminal */
export async function confirmOrFail(
  { io, signal }: PromptContext,
  { message, hint, shown, question }: Record<'message' | 'hint' | 'shown' | 'question', string>,
): Promise<boolean> {
  if (!io.interactive) throw new TradeAgentError('usage', message, { hint });
  io.talk(shown);
  return askYesNo({ io, signal }, question);
}

/** Asks until the answer is valid or the person presses Ctrl-C. @param hint shown after an invalid answer */
export async function promptUntilValid(
  { io, signal }: PromptContext,
  question: string,
  accepts: (text: string) => boolean,
  hint: string | ((text: string) => string),
): Promise<string> {
  for (;;) {
    const text = (await io.prompt(question, signal)).trim();
    if (accepts(text)) return text;
    io.talk(typeof hint === 'string' ? hint : hint(text));
  }
}
