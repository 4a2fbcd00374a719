// Permissions: what each role may do. One table for the routes, the database, the tickets and the client.
import { z } from 'zod';
import { type Role, roles } from './accounts.ts';

const staff = ['moderator', 'finance', 'compliance', 'admin'] as const;

/** Each permission with the roles that have it. */
const table = {
  /** One's own account, and how one logs in to it. */
  'keep-account': roles,
  /** One's own wallet, tips and chat. */
  'take-part': roles,
  /** Streams of one's own, what they earn, and being paid. */
  perform: ['performer', 'admin'],
  /** Ends streams of others. */
  'end-streams': ['moderator', 'admin'],
  ban: ['moderator', 'compliance', 'admin'],
  'work-cases': staff,
  'read-books': ['finance', 'compliance', 'admin'],
  /** Refunds, disputes, settlements, promotions and adjustments. */
  'move-money': ['finance', 'admin'],
  'decide-payouts': ['finance', 'admin'],
  'hold-payouts': ['finance', 'compliance', 'admin'],
  'correct-tax': ['compliance', 'admin'],
  'set-rules': ['finance', 'admin'],
  'read-audit': ['compliance', 'admin'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof table;
export const permissions = Object.keys(table) as [Permission, ...Permission[]];
export const Permission = z.enum(permissions);

/** Whether a role has a permission. */
export function isPermitted(role: Role, permission: Permission): boolean {
  return (table[permission] as readonly Role[]).includes(role);
}

/** Whether a permission is one of staff, who act on what is others'. */
export function isOfStaff(permission: Permission): boolean {
  return !isPermitted('viewer', permission) && !isPermitted('performer', permission);
}

/** Whether a role is one of staff. */
export function isStaff(role: Role): boolean {
  return (staff as readonly Role[]).includes(role);
}
