import { readFileSync } from 'node:fs';

const text = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');

/** The Cedar schema, and the rules that apply in every gateway. The build inlines both (scripts/bundle/cedar.mjs). */
export const bundledCedarTexts = { schema: text('./schema.cedarschema'), base: text('./base.cedar') };
