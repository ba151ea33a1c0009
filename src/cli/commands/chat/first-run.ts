import {
  homeIn,
  isFirstRun,
  keepFirstChoice,
  keepFirstHome,
  keepModelKey,
  type ModelChoice,
  needsKey,
} from '../../../app/chat.ts';
import { configFile } from '../../../config/config-file.ts';
import { homeFolder } from '../../../machine/directories.ts';
import { isSecureUrl } from '../../../net/secure-url.ts';
import type { Context } from '../../context/context.ts';
import { askUntil, choose } from '../../terminal/questions.ts';

/**
 * With no profile and no sandbox yet: asks where to trade and who answers, and writes both to config.yaml.
 * @returns false where the person wants a provider of their own: they were told how, and there is nothing to open yet
 */
export async function firstRun(context: Context): Promise<boolean> {
  if (!(await isFirstRun(context))) return true;
  const { io } = context;
  const file = configFile(await context.home());
  io.talk(`Welcome to trade-agent. Two questions; the answers are kept in\n${file}.\n`);
  const where = await choose(context, 'Where do you want to trade?', [
    'Sandbox: a simulated broker and phone on this machine, no real money',
    'A home of my own: a real (or paper) brokerage account and my phone',
    'My own identity provider and broker',
  ]);
  if (where === 1) {
    await firstHome(context);
    return false;
  }
  if (where === 2) {
    io.talk(`
Set it up with:

  trade-agent profile add NAME    asks for the addresses and the client, says
                                  what the provider lacks, and what comes next
  trade-agent profile use NAME    makes it the one that is used

What a provider must support is in docs/operate/providers/.`);
    return false;
  }
  const model = await chooseModel(context);
  await keepFirstChoice(context, model);
  await askForKey(context, model);
  io.talk('');
  return true;
}

/** A home on this machine (made unless there is one) and a profile for it. Only its owner serves it. */
async function firstHome(context: Context): Promise<void> {
  const { io } = context;
  const folder = homeFolder(context.env);
  let home = await homeIn(folder);
  if (home === undefined) {
    const { makeHome } = await import('../home/make-home.ts');
    const { settings, opened, recoveryCode } = await makeHome(context, folder, {});
    home = { address: settings.address, environment: opened.account.environment };
    io.talk(
      `\nRecovery code: ${io.paint('stderr', 'bold', recoveryCode)}\nWrite it down; it is not shown again. It reads, denies and halts; it approves nothing.\n`,
    );
  }
  const model = await chooseModel(context);
  await keepFirstHome(context, home, model);
  await askForKey(context, model);
  io.talk(`
Your home is in ${folder}. Now, in another terminal:

  trade-agent home serve    serves it, and shows a QR code for your phone

Then "trade-agent" again: it signs you in by that phone. What keeps the
agent away from the keys of a home is in docs/guide/HOME.md.`);
}

async function askForKey(context: Context, model: ModelChoice): Promise<void> {
  if (!needsKey(context, model)) return;
  const { askSecret } = await import('../../terminal/secret-input.ts');
  const question = 'API key (not shown; Enter to set OPENAI_API_KEY later): ';
  const key = await askSecret(context.io, question, context.signal);
  if (key !== '') await keepModelKey(context, model, key);
}

async function chooseModel(context: Context): Promise<ModelChoice> {
  const { io, signal, env } = context;
  const which = await choose(context, 'Who answers?', [
    'Built-in planner: offline and free, understands plain trading requests',
    `OpenAI: needs an API key${env.OPENAI_API_KEY ? ' (OPENAI_API_KEY is set)' : ''}`,
    "Another server that speaks OpenAI's chat API (Ollama, LM Studio, vLLM)",
  ]);
  if (which === 0) return { provider: 'builtin' };
  if (which === 1) {
    const name = (await io.prompt('Model [gpt-5-mini]: ', signal)).trim();
    return { provider: 'openai', name: name === '' ? 'gpt-5-mini' : name };
  }
  const base_url = await askUntil(
    context,
    'Its address [http://127.0.0.1:11434/v1]: ',
    (text) => text === '' || isSecureUrl(text),
    'Write it whole, with https://, or with http:// for a server on this machine.',
  );
  const name = await askUntil(context, 'Model: ', (text) => text !== '', 'Name one of its models.');
  return { provider: 'openai', name, base_url: base_url === '' ? 'http://127.0.0.1:11434/v1' : base_url };
}
