// Generates man/trade-agent.1 from the commands. Run by scripts/build.mjs, or directly: node scripts/man-page.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { renderManPage } from '../src/cli/man-page.ts';
import { createProgramForDocs } from '../src/cli/program.ts';

const root = new URL('../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
mkdirSync(new URL('man/', root), { recursive: true });
writeFileSync(new URL('man/trade-agent.1', root), renderManPage(await createProgramForDocs(), version));
