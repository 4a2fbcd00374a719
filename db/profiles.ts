// Profiles: what people show of themselves, their pictures, and what they prefer.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  type EditPreferencesBody,
  type EditProfileBody,
  OwnProfile,
  Preferences,
  Profile,
  type VersionedPreferences,
} from '#contract';
import { hex } from './bytes.ts';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

const SeenProfile = z.object({
  profile: Profile,
  /** Whether all guests, wherever they are, see the same. */
  isForAll: z.boolean(),
});

/**
 * The profile of somebody, by id or user name, as `askerId` sees it, who is null for a guest and known to be in
 * `countries`. Null: nobody is there, or the asker is not to know.
 */
export async function readProfile(
  db: Db,
  of: { who: string; askerId: string | null; countries: readonly string[] },
): Promise<z.infer<typeof SeenProfile> | null> {
  return callFunction(
    db,
    sql`select profile_of(${of.who}, ${of.askerId},
      array(select jsonb_array_elements_text(${JSON.stringify(of.countries)}::jsonb))) as result`,
    SeenProfile.nullable(),
  );
}

export async function readOwnProfile(db: Db, userId: string): Promise<OwnProfile> {
  return callFunction(db, sql`select own_profile(${userId}) as result`, OwnProfile);
}

/** Refuses `precondition-failed`, `account-banned`. */
export async function editProfile(
  db: Db,
  edit: { userId: string; version: number; changes: EditProfileBody },
): Promise<OwnProfile> {
  return callFunction(
    db,
    sql`select edit_profile(${edit.userId}, ${edit.version}, ${JSON.stringify(edit.changes)}::jsonb) as result`,
    OwnProfile,
  );
}

export interface Picture {
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Gives a profile a picture, or none; the one of before is gone. Refuses `account-banned`. */
export async function setAvatar(
  db: Db,
  userId: string,
  picture: Picture | null,
): Promise<OwnProfile> {
  return callFunction(
    db,
    sql`select set_avatar(${userId}, ${picture?.type ?? null},
      decode(${picture ? hex(picture.bytes) : ''}, 'hex')) as result`,
    OwnProfile,
  );
}

const StoredPicture = z.object({ type: z.string(), base64: z.base64() });

export async function readAvatar(db: Db, avatarId: string): Promise<Picture | null> {
  const stored = await callFunction(
    db,
    sql`select avatar_of(${avatarId}) as result`,
    StoredPicture.nullable(),
  );
  if (!stored) return null;
  const bytes = Uint8Array.from(atob(stored.base64), (letter) => letter.charCodeAt(0));
  return { type: stored.type, bytes };
}

/** As they are stored: what somebody has never said is missing. */
const StoredPreferences = z.looseObject({ version: z.int() });

function withUsual({ version, ...said }: z.infer<typeof StoredPreferences>): VersionedPreferences {
  return { ...Preferences.parse(said), version };
}

export async function readPreferences(db: Db, userId: string): Promise<VersionedPreferences> {
  const asked = sql`select preferences_of(${userId}) as result`;
  return withUsual(await callFunction(db, asked, StoredPreferences));
}

/** Refuses `precondition-failed`. */
export async function editPreferences(
  db: Db,
  edit: { userId: string; version: number; changes: EditPreferencesBody },
): Promise<VersionedPreferences> {
  const asked = sql`select edit_preferences(${edit.userId}, ${edit.version},
    ${JSON.stringify(edit.changes)}::jsonb) as result`;
  return withUsual(await callFunction(db, asked, StoredPreferences));
}
