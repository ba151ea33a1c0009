import { readFileSync } from 'node:fs';

const text = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');

/** The schema, and the rules of every gateway. The build inlines the texts (scripts/bundle/cedar.mjs). */
export const bundledTexts = { schema: text('./schema.cedarschema'), base: text('./base.cedar') };
