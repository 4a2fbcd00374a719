// Exports: a copy of everything that is kept of somebody, as one document.
import { z } from 'zod';
import { Me } from './accounts.ts';
import { CalendarDate, Instant } from './ids.ts';

/** At most so many rows of each kind, the newest first. */
export const exportRowsMax = 5_000;

const row = z.record(z.string(), z.unknown());
const rows = z.array(row).max(exportRowsMax);

export const ExportedRows = z.object({
  account: Me.extend({ dateOfBirth: CalendarDate }).loose(),
  profile: row.nullable(),
  preferences: row.nullable(),
  secondFactors: row,
  avatars: rows,
  passkeys: rows,
  sessions: rows,
  knownDevices: rows,
  formerUsernames: rows,
  relations: rows,
  securityLog: rows,
  streams: rows,
  schedule: rows,
  countryBlocks: z.array(z.string()),
  streamKeys: rows,
  moderates: rows,
  stages: rows,
  mediaHolds: rows,
  entries: rows,
  roomBans: rows,
  chatLines: rows,
  limits: row,
  tipsGiven: rows,
  tipsReceived: rows,
  orders: rows,
  refunds: rows,
  disputes: rows,
  invoices: rows,
  payouts: rows,
  payoutAccounts: rows,
  taxProfile: row.nullable(),
});

export const DataExport = ExportedRows.extend({
  exportedAt: Instant,
  /** Kinds of which there are more than stand here. */
  cutOff: z.array(z.string()),
  /** What moved the wallet. */
  statement: rows,
});
export type DataExport = z.infer<typeof DataExport>;
