import { isModelName, modelProviderNames } from '../../../agent/model/model-server.ts';
import {
  findHome,
  isFirstRun,
  type ModelChoice,
  missingModelKey,
  saveHomeAsDefault,
  saveModelKey,
  saveSandboxAsDefault,
} from '../../../app/chat.ts';
import { configFilePath } from '../../../config/config-file.ts';
import { getHomeDataFolder } from '../../../machine/directories.ts';
import { isSecureUrl } from '../../../net/secure-url.ts';
import type { Context } from '../../context/context.ts';
import { promptForChoice, promptUntilValid } from '../../terminal/questions.ts';

/**
 * On the first run (no profile, no sandbox), asks where to trade and which model to use, and writes both to
 * config.yaml.
 * @returns false if the person must first set up a home or provider, after printing the necessary steps
 */
export async function setUpOnFirstRun(context: Context): Promise<boolean> {
  if (!(await isFirstRun(context))) return true;
  const { io } = context;
  const file = configFilePath(await context.home());
  io.talk(`Welcome to trade-agent. Two questions to set it up; your answers are stored in\n${file}.\n`);
  const where = await promptForChoice(context, 'Where do you want to trade?', [
    'Sandbox: a simulated broker and phone on this machine, no real money',
    'A home of my own: practice, paper or real money, approved on my phone',
    'My own identity provider and broker',
  ]);
  if (where === 1) {
    await setUpFirstHome(context);
    return false;
  }
  if (where === 2) {
    io.talk(`
Set it up with:

  trade-agent profile add NAME    asks for the addresses and the client, checks
                                  the provider, and prints the next steps
  trade-agent profile use NAME    makes it the default

See docs/operate/providers/ for what a provider must support.`);
    return false;
  }
  const model = await chooseModel(context);
  await saveSandboxAsDefault(context, model);
  await askForKey(context, model);
  io.talk('');
  return true;
}

/** Creates a home on this machine if there is none, and a profile for it. The person must then start the home. */
async function setUpFirstHome(context: Context): Promise<void> {
  const { io } = context;
  const folder = getHomeDataFolder(context.env);
  let home = await findHome(folder);
  if (home === undefined) {
    const { makeHome } = await import('../home/make-home.ts');
    const { settings, opened, recoveryCode } = await makeHome(context, folder, {});
    home = { address: settings.address, environment: opened.account.environment };
    io.talk(
      `\nRecovery code: ${io.paint('stderr', 'bold', recoveryCode)}\nWrite it down; it is not shown again. It can read, deny and halt, but not approve.\n`,
    );
  }
  const model = await chooseModel(context);
  await saveHomeAsDefault(context, home, model);
  await askForKey(context, model);
  io.talk(`
Your home is in ${folder}. Now, in another terminal:

  trade-agent home serve    starts it and shows how to pair your phone

Then run "trade-agent" again to sign in with that phone. docs/guide/HOME.md
explains how the keys of a home are kept from the agent.`);
}

async function askForKey(context: Context, model: ModelChoice): Promise<void> {
  const variable = missingModelKey(context, model);
  if (variable === undefined) return;
  const { promptForSecret } = await import('../../terminal/secret-input.ts');
  const question = `API key (hidden; press Enter to set ${variable} later): `;
  const key = await promptForSecret(context.io, question, context.signal);
  if (key !== '') await saveModelKey(context, model, key);
}

async function chooseModel(context: Context): Promise<ModelChoice> {
  const { env } = context;
  const which = await promptForChoice(context, 'Which model do you want to use?', [
    'Built-in planner: offline and free, understands simple trading requests',
    `OpenAI or another provider: needs an API key${env.OPENAI_API_KEY ? ' (OPENAI_API_KEY is set)' : ''}`,
    'Another server with an OpenAI-compatible API (Ollama, LM Studio, vLLM)',
  ]);
  if (which === 0) return { provider: 'builtin' };
  if (which === 1) {
    const name = await promptUntilValid(
      context,
      'Model [gpt-5-mini]: ',
      (text) => text === '' || isModelName(text),
      `Type a model of OpenAI, or PROVIDER/NAME with one of ${modelProviderNames.join(', ')}.`,
    );
    return { provider: 'openai', name: name === '' ? 'gpt-5-mini' : name };
  }
  const base_url = await promptUntilValid(
    context,
    'Address [http://127.0.0.1:11434/v1]: ',
    (text) => text === '' || isSecureUrl(text),
    'Type the full address with https://, or http:// for a server on this machine.',
  );
  const name = await promptUntilValid(context, 'Model: ', (text) => text !== '', 'Type the name of one of its models.');
  return { provider: 'openai', name, base_url: base_url === '' ? 'http://127.0.0.1:11434/v1' : base_url };
}
