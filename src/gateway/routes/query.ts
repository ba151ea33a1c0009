import { z } from 'zod';
import { symbolSchema } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import { defined } from '../../values/defined.ts';

/** Each parameter once, and only those of the schema. @throws {Refusal} 400 `invalid_query`, naming the parameters */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, url: string): z.output<Schema> {
  const parameters = new URL(url).searchParams;
  const names = [...parameters.keys()];
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const parsed = schema.safeParse(Object.fromEntries(parameters));
  if (parsed.success && repeated.length === 0) return parsed.data;
  const fields = new Set(repeated);
  for (const issue of parsed.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) fields.add(key);
    else fields.add(issue.path.map(String).join('.'));
  }
  const first = parsed.error?.issues[0]?.message;
  throw new Refusal(400, 'invalid_query', `wrong query parameters: ${[...fields].join(', ')}`, {
    fields: [...fields],
    ...defined({ hint: first }),
  });
}

const nothing = z.strictObject({});

/** A parameter such as `for` would otherwise be ignored. @throws {Refusal} 400 `invalid_query` */
export function requireNoQuery(url: string): void {
  parseQuery(nothing, url);
}

export function limitParameter(max: number, fallback: number) {
  return z
    .string()
    .regex(/^[1-9]\d{0,5}$/, 'must be a whole number from 1')
    .transform(Number)
    .pipe(z.number().max(max))
    .default(fallback);
}

/** Comma-separated, without duplicates. */
export function symbolList(most: number) {
  return z
    .string()
    .transform((text) => [...new Set(text.split(','))])
    .pipe(z.array(symbolSchema).min(1).max(most))
    .transform((symbols) => [...new Set(symbols)]);
}
