import { changeConfig, configText, configValue, replaceConfig } from '../config/config-edit.ts';
import { checkConfig, configFile } from '../config/config-file.ts';
import { isTradeAgentError, type TradeAgentError } from '../errors/errors.ts';
import type { App } from './app.ts';

/** One key of config.yaml. */
interface ConfigKey {
  readonly file: string;
  /** Undefined where it is not set. */
  readonly value: unknown;
}

/** Where config.yaml is, whether or not it exists yet. */
export async function configPath(app: App): Promise<string> {
  return configFile(await app.home());
}

/** The whole file, as it is written and as it is read. @throws {TradeAgentError} `invalid_config` */
export async function readConfig(app: App): Promise<ConfigKey & { readonly text: string }> {
  const { parse } = await import('yaml');
  const home = await app.home();
  const file = configFile(home);
  const text = configText(home);
  await checkConfig(text, file);
  return { file, text, value: (parse(text) ?? {}) as unknown };
}

/** @param key with dots, as in `profiles.work.issuer` @throws {TradeAgentError} `invalid_config`, `usage` */
export async function readConfigKey(app: App, key: string): Promise<ConfigKey> {
  const home = await app.home();
  return { file: configFile(home), value: await configValue(home, key) };
}

/**
 * Sets one key, or removes it where `value` is undefined.
 * @param value read as YAML
 * @returns what the key says now
 * @throws {TradeAgentError} `invalid_config`, `usage`; `not_found` where there is nothing to remove
 */
export async function changeConfigKey(app: App, key: string, value: string | undefined): Promise<ConfigKey> {
  await changeConfig(await app.home(), key, value);
  return await readConfigKey(app, key);
}

/** Whoever edits the file. */
interface Editor {
  /** The text as they want it. */
  edit(text: string): Promise<string>;
  /** Whether they go on with a text that was refused: what was typed must not be lost over a slip. */
  again(refusal: TradeAgentError): Promise<boolean>;
}

/**
 * Lets config.yaml be edited; it is replaced only by a valid one.
 * @throws {TradeAgentError} `invalid_config` where the editor gives up, and what the editor throws
 */
export async function editConfig(
  app: App,
  editor: Editor,
): Promise<{ readonly file: string; readonly changed: boolean }> {
  const home = await app.home();
  const file = configFile(home);
  const before = configText(home);
  for (let text = before; ; ) {
    text = await editor.edit(text);
    if (text === before) return { file, changed: false };
    try {
      await replaceConfig(home, text);
      return { file, changed: true };
    } catch (error) {
      if (!isTradeAgentError(error) || !(await editor.again(error))) throw error;
    }
  }
}
