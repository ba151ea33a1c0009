/** Returns the key of 24 to 64 bytes (Standard Webhooks, "Signature scheme"); undefined if the secret is invalid. */
export function decodeSigningKey(secret: string): Buffer | undefined {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const key = Buffer.from(encoded ?? '', 'base64');
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}
