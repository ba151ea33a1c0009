import { Hono } from 'hono';
import { html } from 'hono/html';
import { createRateLimit } from '../identity-provider/rate-limit.ts';
import { isRefusal } from '../../trading/errors.ts';
