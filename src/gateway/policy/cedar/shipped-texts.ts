import { readFileSync } from 'node:fs';

const text = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');

/** What rules can name, and those that hold in every gateway. The build puts the texts here (scripts/bundle/cedar.mjs). */
export const shippedTexts = { schema: text('./schema.cedarschema'), base: text('./base.cedar') };
