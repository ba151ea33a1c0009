import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOfTest } from '../../folders.ts';
import { typing } from '../auth/typing.ts';

/** A person whose editor first makes a slip, and corrects it the second time. */
function slip(): { env: NodeJS.ProcessEnv; file: string } {
  const home = folderOfTest();
  const editor = join(home, 'editor.sh');
  const line = (text: string) => `printf '${text}\\n' >> "$1"`;
  writeFileSync(
    editor,
    `#!/bin/sh\nif grep -q mine "$1"; then sed -i.bak s/histroy/history/ "$1"; else ${line('# mine')}; ${line('histroy: false')}; fi\n`,
    { mode: 0o755 },
  );
  return {
    env: { PATH: process.env.PATH, HOME: home, TRADE_AGENT_HOME: join(home, 'agent'), EDITOR: editor },
    file: join(home, 'agent', 'config.yaml'),
  };
}

describe('config edit', () => {
  it('gives what was typed back to the editor where it is wrong', async () => {
    const { env, file } = slip();
    await typing(env, ['config', 'edit'], [[/unknown key "histroy"[\s\S]*Edit it again\? \[Y\/n\]: $/, '']]);
    expect(readFileSync(file, 'utf8')).toBe('# mine\nhistory: false\n');
  });

  it('writes nothing where the person gives up', async () => {
    const { env, file } = slip();
    const said = await typing(env, ['config', 'edit'], [[/Edit it again\? \[Y\/n\]: $/, 'n']], 2);
    expect(said).toContain('Nothing was written.');
    expect(() => readFileSync(file)).toThrow('ENOENT');
  });
});
