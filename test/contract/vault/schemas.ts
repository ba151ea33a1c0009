/*
 * What Vault's transit engine takes and answers, in our words. Sources: developer.hashicorp.com/vault/api-docs/secret/transit,
 * "Encrypt data" and "Decrypt data", and `TransitEncryptRequest`, `TransitDecryptRequest` of Vault's OpenAPI document, where
 * associated_data is since 1.13. The examples are theirs.
 */

const base64 = {
  type: 'string',
  pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
};
const ciphertext = { type: 'string', pattern: '^vault:v[1-9]\\d*:' };

/** Vault ignores what it does not know; ours may say nothing of the kind. */
const request = (required: string, properties: object) => ({
  type: 'object',
  required: [required],
  properties: { ...properties, associated_data: base64, context: base64, nonce: base64 },
  additionalProperties: false,
});

const answer = (name: string, value: object) => ({
  type: 'object',
  required: ['data'],
  properties: { data: { type: 'object', required: [name], properties: { [name]: value } } },
});

export const transit = {
  encrypt: {
    request: request('plaintext', { plaintext: base64, key_version: { type: 'integer' } }),
    answer: answer('ciphertext', ciphertext),
  },
  decrypt: {
    request: request('ciphertext', { ciphertext }),
    answer: answer('plaintext', base64),
  },
} as const;

/** Of any status but 200 and 204. */
export const failure = {
  type: 'object',
  required: ['errors'],
  properties: { errors: { type: 'array', items: { type: 'string' } } },
};

/** The sample payloads and responses of the documentation. */
export const examples = {
  encrypt: {
    request: { plaintext: 'dGhlIHF1aWNrIGJyb3duIGZveAo=' },
    answer: { data: { ciphertext: 'vault:v1:XjsPWPjqPrBi1N2Ms2s1QM798YyFWnO4TR4lsFA=' } },
  },
  decrypt: {
    request: { ciphertext: 'vault:v1:XjsPWPjqPrBi1N2Ms2s1QM798YyFWnO4TR4lsFA=' },
    answer: { data: { plaintext: 'dGhlIHF1aWNrIGJyb3duIGZveAo=' } },
  },
} as const;
