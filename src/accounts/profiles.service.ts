import { Injectable } from '@nestjs/common';
import type { Actor } from '../common/actor/actor.js';
import { Database, type Transaction } from '../database/database.js';
import { everyGym, sql } from '../database/sql.js';
import type { ProfileDto, ProfileType } from '../people/dto/profile.dto.js';
import { UserNotFound } from '../people/people.errors.js';
import { reachablePerson, visiblePerson } from '../people/people.sql.js';
import { ProfileNotFound } from './accounts.errors.js';
import { type Holder, requireMayChangeProfiles } from './accounts.rules.js';
import { PROFILE_COLUMNS } from './accounts.sql.js';

interface HeldProfile {
  id: number;
  type: ProfileType;
}

export interface HeldProfiles {
  profile_types: ProfileType[];
  /** The oldest first. */
  profiles: HeldProfile[];
  /** The one last chosen or made, else the oldest; null: there is none. */
  current_profile: HeldProfile | null;
}

/** The people `u` whose profiles one may know: those whom one meets, and all of the gym, the inactive too. */
const knownPerson = (actor: Actor) => sql`(${reachablePerson(actor, 'u')} OR (${visiblePerson(actor)}))`;

/** What the people of the gyms are, beside their role there: each profile type once a person. */
@Injectable()
export class ProfilesService {
  constructor(private readonly db: Database) {}

  /** The oldest first. @throws UserNotFound */
  async list(actor: Actor, accountId: number): Promise<ProfileDto[]> {
    const which = sql`u.id = ${accountId} AND ${knownPerson(actor)}`;
    const profiles = await this.db.query(sql`
      SELECT ${PROFILE_COLUMNS} FROM users u JOIN profiles p ON p.account_id = u.id WHERE ${which} ORDER BY p.id`);
    if (profiles.length > 0) return profiles;
    const [person] = await this.db.query(sql`SELECT 1 FROM users u WHERE ${which}`);
    if (!person) throw new UserNotFound();
    return [];
  }

  /** What a person is, in short. @throws UserNotFound */
  async held(actor: Actor, accountId: number): Promise<HeldProfiles> {
    const rows = await this.db.query<HeldProfile & { is_current: boolean }>(sql`
      SELECT p.id, p.profile_type AS type, p.is_current FROM users u LEFT JOIN profiles p ON p.account_id = u.id
      WHERE u.id = ${accountId} AND ${knownPerson(actor)} ORDER BY p.id`);
    if (rows.length === 0) throw new UserNotFound();
    const known = rows.filter(({ id }) => id !== null);
    const profiles = known.map(({ id, type }) => ({ id, type }));
    const current = Math.max(
      0,
      known.findIndex(({ is_current }) => is_current),
    );
    return {
      profile_types: profiles.map(({ type }) => type),
      profiles,
      current_profile: profiles[current] ?? null,
    };
  }

  /**
   * Makes a profile of one's own the current one.
   * @throws ProfileNotFound if it is none of one's own
   */
  switchProfile(actor: Actor, profileId: number): Promise<HeldProfile> {
    return this.db.transaction(async (tx) => {
      await this.lockHolder(tx, actor, actor.user_id);
      const [profile] = await tx.query<HeldProfile>(everyGym`
        SELECT id, profile_type AS type FROM profiles WHERE id = ${profileId} AND account_id = ${actor.user_id}`);
      if (!profile) throw new ProfileNotFound();
      await tx.query(everyGym`
        UPDATE profiles SET is_current = FALSE
        WHERE account_id = ${actor.user_id} AND is_current AND id <> ${profileId}`);
      await tx.query(everyGym`UPDATE profiles SET is_current = TRUE WHERE id = ${profileId} AND NOT is_current`);
      return profile;
    });
  }

  /** Whose profile this is; that one may know them is asked where they are met. @throws ProfileNotFound */
  async holderOf(profileId: number): Promise<number> {
    const [profile] = await this.db.query<{ account_id: number }>(everyGym`
      SELECT account_id FROM profiles WHERE id = ${profileId}`);
    if (!profile) throw new ProfileNotFound();
    return profile.account_id;
  }

  /**
   * Makes the profile, or finds the one that is there. To its own person it is the current one from now on.
   * @throws UserNotFound, NotYourAccount
   */
  choose(actor: Actor, accountId: number, type: ProfileType): Promise<{ profile: ProfileDto; isNew: boolean }> {
    return this.db.transaction((tx) => this.chooseIn(tx, actor, accountId, type));
  }

  /** The same as a part of something larger. */
  async chooseIn(
    tx: Transaction,
    actor: Actor,
    accountId: number,
    type: ProfileType,
  ): Promise<{ profile: ProfileDto; isNew: boolean }> {
    await this.lockHolder(tx, actor, accountId);
    const isCurrent = accountId === actor.user_id;
    const ofType = sql`account_id = ${accountId} AND profile_type = ${type}`;
    if (isCurrent) {
      await tx.query(everyGym`
        UPDATE profiles SET is_current = FALSE WHERE account_id = ${accountId} AND is_current AND NOT (${ofType})`);
    }
    const [made] = await tx.query(everyGym`
      INSERT INTO profiles AS p (account_id, profile_type, is_current) VALUES (${accountId}, ${type}, ${isCurrent})
      ON CONFLICT (account_id, profile_type) DO NOTHING RETURNING ${PROFILE_COLUMNS}`);
    if (made) return { profile: made, isNew: true };
    const [known] = await tx.query(everyGym`
      UPDATE profiles p SET is_current = is_current OR ${isCurrent} WHERE ${ofType} RETURNING ${PROFILE_COLUMNS}`);
    return { profile: known!, isNew: false };
  }

  /** @throws UserNotFound, NotYourAccount, ProfileNotFound, ProfileHasCourses */
  remove(actor: Actor, accountId: number, type: string): Promise<void> {
    return this.db.transaction(async (tx) => {
      await this.lockHolder(tx, actor, accountId);
      const [gone] = await tx.query(everyGym`
        DELETE FROM profiles WHERE account_id = ${accountId} AND profile_type = ${type} RETURNING 1`);
      if (!gone) throw new ProfileNotFound();
    });
  }

  /** So that one change of their profiles follows the other, and a person who is deleted leaves none. */
  private async lockHolder(tx: Transaction, actor: Actor, accountId: number): Promise<void> {
    const [holder] = await tx.query<Holder>(sql`
      SELECT u.id, u.gym_id FROM users u WHERE u.id = ${accountId} AND ${knownPerson(actor)}
      FOR NO KEY UPDATE`);
    if (!holder) throw new UserNotFound();
    requireMayChangeProfiles(actor, holder);
  }
}
