import { randomBytes } from 'node:crypto';
import { createRequestStateCodec, type ServerContext } from '@modelcontextprotocol/server';

/**
 * Seals values that a client stores on the server's behalf, and opens them later. Anyone can read a sealed value, but
 * only this process can create one.
 */
export interface Seals<Value> {
  /** Seals a value. @param boundTo caller and purpose */
  seal(value: Value, boundTo: string): Promise<string>;
  /** Opens a sealed value. @throws if the value has expired, is forged, or was sealed for a different `boundTo` */
  open(text: string, boundTo: string): Promise<Value>;
}

/** Creates seals with HMAC-SHA256 and a key that only this process has, so a restart invalidates all seals. */
export function createSeals<Value>(lifeSeconds: number): Seals<Value> {
  const key = randomBytes(32);
  const codecOf = (boundTo: string) =>
    createRequestStateCodec<Value>({ key, ttlSeconds: lifeSeconds, bind: () => boundTo });
  const context = {} as ServerContext;
  return {
    seal: (value, boundTo) => codecOf(boundTo).mint(value, context),
    open: (text, boundTo) => codecOf(boundTo).verify(text, context),
  };
}
