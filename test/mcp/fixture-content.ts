/** What the conformance suite asks for by name: texts, pictures and sounds of no meaning. */
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
export const wav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA==';

export const text = (words: string) => ({ type: 'text' as const, text: words });
export const picture = { type: 'image' as const, data: png, mimeType: 'image/png' };
export const resource = (uri: string, words: string, mimeType = 'text/plain') => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: words },
});

export const askName = elicit('What is your name?', { name: { type: 'string' } });
export const askOk = elicit('Please confirm', { ok: { type: 'boolean' } });
export const askCapital = sample('What is the capital of France?', 100);
export const askRoots = { method: 'roots/list', params: {} };

export function elicit(message: string, properties: Record<string, object>) {
  return {
    method: 'elicitation/create',
    params: {
      mode: 'form',
      message,
      requestedSchema: { type: 'object', properties, required: Object.keys(properties) },
    },
  };
}

export function sample(words: string, maxTokens: number) {
  const messages = [{ role: 'user', content: text(words) }];
  return { method: 'sampling/createMessage', params: { messages, maxTokens } };
}

/** Of one tool whose listing must come through whole. */
export const wholeSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word.
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
