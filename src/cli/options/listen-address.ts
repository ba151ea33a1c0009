import { InvalidArgumentError } from 'commander';
import { type ListenAddress, listenParts } from '../../home/settings/home-settings.ts';

export function listenAddress(text: string): ListenAddress {
  const parts = listenParts(text);
  if (parts !== undefined) return parts;
  throw new InvalidArgumentError('Write HOST:PORT, as in 127.0.0.1:4780 or [::1]:4780.');
}
