import { z } from 'zod';
import { INSECURE_URL, isSecureUrl } from '../net/secure-url.ts';

/** The address of a server that tokens are sent to. */
export const secureAddress = z.url().refine(isSecureUrl, INSECURE_URL);
