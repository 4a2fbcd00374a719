// The policy of user names: what looks like us is refused, and what people are called is not.
import { expect, test } from 'vitest';
import { checkUsername } from './username-policy.ts';

const codeOf = (name: string) => {
  try {
    checkUsername(name);
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test.each([
  'admin',
  'Admin',
  'ADM1N',
  'a_d_m_i_n',
  'support',
  'Supp0rt',
  '5upport',
  'livepanty',
  'LivePanty_India',
  'l1vepanty',
  'iivepanty',
  'the_real_L1veP4nty',
  'asha_support',
  'staff_2',
  'admins',
  'Moderator',
  'rnoderator',
  'official_asha',
  'system',
  'api',
  'erased',
])('%s is kept', (name) => {
  expect(codeOf(name)).toBe('username-reserved');
});

test.each([
  'asha_1',
  'badminton',
  'Staffan',
  'Supporter99',
  'modesty',
  'apiary',
  'systematic',
  'teamwork',
  'rooted',
  'livepaint',
  'watcher',
])('%s is somebody', (name) => {
  expect(codeOf(name)).toBeNull();
});
