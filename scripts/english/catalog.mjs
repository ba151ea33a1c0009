// Collects the strings that people read, one file for each place where they read them, so that one person can review a
// whole surface at once, and a change of words shows in the diff:
//   npm run strings
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { textsIn } from './texts.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Sources by surface. A source belongs to the first surface that lists it. */
const surfaces = {
  doctor: ['src/app/doctor/**'],
  help: ['src/cli/commands/**', 'src/cli/options/**', 'src/cli/*.ts'],
  chat: ['src/cli/**'],
  planner: ['src/agent/planner/**'],
  agent: ['src/agent/**', 'src/tools/**', 'src/mcp/**'],
  dashboard: ['src/home/phone/dashboard/**'],
  phone: ['src/home/**'],
  checks: ['src/check/**', 'src/app/check/**', 'src/schedule/**', 'src/app/schedule/**'],
  notices: ['src/notify/**', 'src/app/notices/**', 'src/gateway/messages/**'],
  orders: ['src/trading/**', 'src/approval/**', 'src/gateway/**'],
  setup: ['src/app/**', 'src/auth/**', 'src/config/**', 'src/secrets/**', 'src/errors/**', 'src/machine/**'],
  servers: ['src/**'],
};

/** @returns {Map<string, string>} each surface's strings, by the name of its file */
export function catalogs() {
  const taken = new Set();
  return new Map(
    Object.entries(surfaces).map(([surface, globs]) => {
      const files = globSync(globs, { cwd: root }).filter((file) => /\.tsx?$/.test(file) && !taken.has(file));
      for (const file of files) taken.add(file);
      return [`${surface}.txt`, files.sort().map(stringsOf).join('')];
    }),
  );
}

function stringsOf(file) {
  const strings = textsIn(join(root, file)).filter(({ kind }) => kind === 'string');
  const lines = new Set(strings.map(({ text }) => `  ${text.replaceAll('\n', '\\n')}\n`));
  return lines.size === 0 ? '' : `${file}\n${[...lines].join('')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(root, 'docs/reference/strings');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of catalogs()) writeFileSync(join(folder, name), text);
}
