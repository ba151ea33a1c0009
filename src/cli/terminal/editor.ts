import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';

/**
 * Opens the text in the person's editor and returns the edited text. The editor gets a copy that only this person can
 * read.
 * @throws {TradeAgentError} `usage` if no editor is set, or if the editor fails
 */
export async function editText(
  text: string,
  options: { name: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<string> {
  const { env, signal } = options;
  const editor = env.VISUAL || env.EDITOR;
  if (!editor) {
    throw new TradeAgentError('usage', 'no editor is set', {
      hint: 'Set EDITOR, as in: EDITOR=nano trade-agent config edit',
    });
  }
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-edit-'));
  try {
    const file = join(folder, options.name);
    writeFileSync(file, text, { mode: 0o600 });
    // Uses the shell because EDITOR may contain arguments, as in "code --wait".
    const child = spawn(`${editor} "${file}"`, { shell: true, stdio: 'inherit', env, signal });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) {
      throw new TradeAgentError('usage', `the editor exited with code ${code}; nothing was changed`, {
        hint: 'Check the EDITOR variable.',
      });
    }
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
