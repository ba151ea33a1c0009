import { openBundle } from '../../src/cli/start/bundle-loader.ts';

/**
 * The module dist/help-texts.js (src/cli/start/help-texts.ts says what it holds): each command's help, as the commander of
 * the program just built prints it.
 * @param folder `file:` URL of dist/, ending in "/"
 */
export async function renderHelp(folder) {
  const { createProgram } = openBundle(folder, undefined, '').load('program.cjs');
  const written = [];
  const all = await createProgram({ io: { write: (text) => written.push(text), width: () => 80 }, env: {} });
  all.configureOutput({ getOutHasColors: () => false });

  const texts = {};
  const render = (command, words) => {
    written.length = 0;
    command.outputHelp();
    texts[words.join(' ')] = written.join('');
    for (const child of command.commands) render(child, [...words, child.name()]);
  };
  render(all, []);
  return `export const helpTexts=${JSON.stringify(texts)};\n`;
}
