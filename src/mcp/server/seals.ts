import { randomBytes } from 'node:crypto';
import { createRequestStateCodec, type ServerContext } from '@modelcontextprotocol/server';

/** What a client keeps for us and brings back: to be read by anybody, made by us alone. */
export interface Seals<Value> {
  /** @param boundTo what it must come back with: who calls, and what for */
  seal(value: Value, boundTo: string): Promise<string>;
  /** @throws for what was not sealed here, or for something else, or too long ago */
  open(text: string, boundTo: string): Promise<Value>;
}

/**
 * HMAC-SHA256 under a key of this process: what it sealed before a restart is as good as nothing.
 * @param lifeSeconds for so long it counts
 */
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
