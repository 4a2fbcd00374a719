// Whether people reach the product over https; only then may cookies and headers insist on it.
import type { Config } from '../config.ts';

export const isSecure = (config: Pick<Config, 'APP_ORIGIN'>): boolean =>
  config.APP_ORIGIN.startsWith('https:');
