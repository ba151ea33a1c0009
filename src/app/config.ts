import { readConfigValue, replaceConfig, setConfigValue } from '../config/config-edit.ts';
import { configFilePath, parseConfig, readConfigText } from '../config/config-file.ts';
import { isTradeAgentError, type TradeAgentError } from '../errors/errors.ts';
import type { App } from './app.ts';

/** Returns the path of config.yaml, whether or not the file exists. */
export async function configPath(app: App): Promise<string> {
  return configFilePath(await app.home());
}

/** Returns the file as text and as a parsed value. @throws {TradeAgentError} `invalid_config` */
export async function readConfig(app: App) {
  const { parse } = await import('yaml');
  const home = await app.home();
  const file = configFilePath(home);
  const text = readConfigText(home);
  await parseConfig(text, file);
  return { file, text, value: (parse(text) ?? {}) as unknown };
}

/** Reads a key such as `profiles.work.issuer`. @throws {TradeAgentError} `invalid_config`, `usage` */
export async function readConfigKey(app: App, key: string) {
  const home = await app.home();
  return { file: configFilePath(home), value: await readConfigValue(home, key) };
}

/**
 * Sets a key, or removes it if `value` is undefined.
 * @param value parsed as YAML
 * @throws {TradeAgentError} `invalid_config`, `usage`; `not_found` if the key to remove does not exist
 */
export async function changeConfigKey(app: App, key: string, value: string | undefined) {
  await setConfigValue(await app.home(), key, value);
  return await readConfigKey(app, key);
}

interface Editor {
  edit(text: string): Promise<string>;
  /** Asks whether to edit an invalid file again. Otherwise, a typo would discard all of the person's changes. */
  confirmRetry(refusal: TradeAgentError): Promise<boolean>;
}

/**
 * Opens config.yaml in an editor. Replaces the file only if the edited text is valid.
 * @throws {TradeAgentError} `invalid_config` if the person gives up, and any error from the editor
 */
export async function editConfig(app: App, editor: Editor) {
  const home = await app.home();
  const file = configFilePath(home);
  const before = readConfigText(home);
  for (let text = before; ; ) {
    text = await editor.edit(text);
    if (text === before) return { file, changed: false };
    try {
      await replaceConfig(home, text);
      return { file, changed: true };
    } catch (error) {
      if (!isTradeAgentError(error) || !(await editor.confirmRetry(error))) throw error;
    }
  }
}
