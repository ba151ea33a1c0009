// Generates docs/reference/schema/ from the zod schemas in src/cli/schema/. Run it when a command's output changes:
// node scripts/schemas.mjs
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSchemaFiles } from '../src/cli/schema/json-schema.ts';

const folder = fileURLToPath(new URL('../docs/reference/schema/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (name.endsWith('.json')) rmSync(`${folder}${name}`);
for (const [name, text] of Object.entries(buildSchemaFiles())) writeFileSync(`${folder}${name}`, text);
