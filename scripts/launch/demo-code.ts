// `npm run code`: what the authenticators of the demo accounts show at the moment.
import { resolve } from 'node:path';
import { totpAt, totpStepEnd } from '../../edge/services/totp.ts';
import { StartRefused, startOrRefuse } from '../local/environment.ts';
import { readDemoAccounts } from './database.ts';
import { workDir } from './work-dir.ts';

await startOrRefuse(async () => {
  const accounts = await readDemoAccounts(resolve(workDir)).catch(() => {
    throw new StartRefused('There are no demo accounts yet: npm start makes them.');
  });
  const now = new Date();
  const seconds = Math.ceil((totpStepEnd(now).getTime() - now.getTime()) / 1000);
  for (const { email, authenticatorSecret } of accounts) {
    if (!authenticatorSecret) continue;
    const code = await totpAt(authenticatorSecret, now);
    process.stdout.write(`${email}  ${code}  for ${seconds} s\n`);
  }
});
