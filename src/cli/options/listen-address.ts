import { InvalidArgumentError } from 'commander';
import { type ListenAddress, parseHostPort } from '../../home/settings/home-settings.ts';

export function parseListenAddress(text: string): ListenAddress {
  const parts = parseHostPort(text);
  if (parts !== undefined) return parts;
  throw new InvalidArgumentError('Use the format HOST:PORT, as in 127.0.0.1:4780 or [::1]:4780.');
}
