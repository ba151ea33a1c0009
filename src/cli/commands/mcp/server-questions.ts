import type { Insist, LookedAtServer, OpenBrowser } from '../../../app/mcp/servers.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { ComparedTool } from '../../../mcp/client/compared-tools.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { Context } from '../../context/context.ts';
import { askUntil, saysYes } from '../../terminal/questions.ts';
import { serverText, toolText } from './server-view.ts';

/** Prints the sign-in address, and opens it for a person. */
export function openToSignIn(context: Context): OpenBrowser {
  return async (url) => {
    const { io } = context;
    io.talk('The server wants you to sign in, in a browser on this machine:');
    io.talk(`  ${io.paint('stderr', 'underline', safeLine(url))}`);
    io.talk('Only go on if you know the site that opens. Waiting …');
    if (!io.interactive) return;
    const { openBrowser } = await import('../../terminal/open-browser.ts');
    await openBrowser(context, url);
  };
}

/** Asks which tools to allow, unless `named` says it. @param unsafe also offers those that could act past the phone */
export async function chooseTools(
  { io, signal }: Context,
  looked: LookedAtServer,
  named: readonly string[],
  unsafe: boolean,
): Promise<readonly string[]> {
  const fit = looked.tools.filter((tool) => tool.fit !== undefined && (unsafe || tool.danger === undefined));
  if (named.length > 0 || !io.interactive || fit.length === 0) return named;
  io.talk(serverText(looked));
  const byNumber = fit.map(({ name }) => name);
  io.talk('');
  for (const [index, name] of byNumber.entries()) io.talk(`  ${index + 1}  ${safeLine(name)}`);
  const read = (text: string) =>
    text
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map((word) => byNumber[Number(word) - 1] ?? word);
  const answer = await askUntil(
    { io, signal },
    'Which may the language model use? (numbers, or Enter for none) ',
    (text) => read(text).every((name) => byNumber.includes(name)),
    'Type their numbers, with blanks or commas between them.',
  );
  return [...new Set(read(answer))];
}

/** Shows what tools say of themselves now. @throws {TradeAgentError} `usage`, `interrupted` for a no */
export async function agreeTo(
  { io, signal }: Context,
  tools: readonly ComparedTool[],
  yes: boolean,
): Promise<void> {
  if (yes) return;
  if (!io.interactive) {
    throw new TradeAgentError('usage', 'nobody is there to read what the tool says of itself now', {
      hint: 'Look at it with "trade-agent mcp servers test", then say --yes.',
    });
  }
  for (const tool of tools) io.talk(toolText(tool));
  if (await saysYes({ io, signal }, 'Is that the tool that you want?')) return;
  throw new TradeAgentError('interrupted', 'nothing was confirmed');
}

/** Has the person type which tools may act past their phone. @throws {TradeAgentError} `usage`, `interrupted` */
export function insistOn({ io, signal }: Pick<Context, 'io' | 'signal'>): Insist {
  return async (server, tools) => {
    if (!io.interactive) {
      throw new TradeAgentError('usage', 'nobody is there to type the confirmation', {
        hint: 'Run it in a terminal: --unsafe wants each tool typed by name.',
      });
    }
    io.talk('Your phone is not asked before a language model calls these tools:');
    for (const tool of tools) io.talk(toolText(tool));
    for (const { name } of tools) {
      const typed = await io.prompt(`Type "${server} ${safeLine(name)}" to allow it: `, signal);
      if (typed.trim() !== `${server} ${safeLine(name)}`)
        throw new TradeAgentError('interrupted', 'nothing was allowed');
    }
  };
}
