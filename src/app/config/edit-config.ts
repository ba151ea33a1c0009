import { configText, replaceConfig } from '../../config/config-edit.ts';
import { configFile } from '../../config/config-file.ts';
import { isTradeAgentError, type TradeAgentError } from '../../errors/errors.ts';
import type { App } from '../app.ts';

/** Whoever edits the file. */
export interface Editor {
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
