import { z } from 'zod';
import { isSecure } from './door/identity-provider.ts';

/** The address of a server that tokens are sent to. */
export const secureAddress = z
  .url()
  .refine((text) => isSecure(new URL(text)), 'must be an https address, or http on this machine (127.0.0.1)');
