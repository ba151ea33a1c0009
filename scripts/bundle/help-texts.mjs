import { openBundle } from '../../src/cli/start/bundle-loader.ts';

/**
 * Returns the module dist/help-texts.js (see src/cli/start/help-texts.ts): the help of each command, as the new build
 * prints it.
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
