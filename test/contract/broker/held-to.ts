import { Ajv2020 } from 'ajv/dist/2020.js';

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });

/**
 * Holds a stand-in to what the broker has published: an answer that is not as its schema says makes the test fail, not the
 * adapter. A name without a schema is a mistake of the stand-in's.
 */
export function heldTo(schemas: Readonly<Record<string, object>>): <T>(name: string, answer: T) => T {
  const checks = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, ajv.compile(schema)]));
  return (name, answer) => {
    const check = checks[name];
    if (check === undefined) throw new Error(`${name} is not in the published contract`);
    if (check(JSON.parse(JSON.stringify(answer)))) return answer;
    throw new Error(`${name}: ${ajv.errorsText(check.errors)}`);
  };
}
