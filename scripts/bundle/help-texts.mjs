import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The module dist/help-texts.js (src/cli/help-texts.ts says what it holds): each command's help, as the commander of
 * the program just built prints it.
 */
export async function renderHelp(root, metafile) {
  const [chunk] = Object.entries(metafile.outputs).find(
    ([, output]) => output.entryPoint === 'group:session',
  );
  const { src_cli_program_ts: built } = await import(pathToFileURL(join(root, chunk)).href);
  const written = [];
  const program = built.createProgram({ io: { write: (text) => written.push(text) }, env: {} });
  program.configureOutput({ getOutHelpWidth: () => 80, getOutHasColors: () => false });

  const texts = {};
  const render = (command, words) => {
    written.length = 0;
    command.outputHelp();
    texts[words.join(' ')] = written.join('');
    for (const child of command.commands) render(child, [...words, child.name()]);
  };
  render(program, []);
  return `export const helpTexts=${JSON.stringify(texts)};\n`;
}
