import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A value that only the key of this id opens; of JWT_SECRET a hash. */
@Entity('key_checks')
export class KeyCheck {
  /** ENCRYPTION_KEYS, FINGERPRINT_KEYS or JWT_SECRET. */
  @PrimaryColumn('text')
  ring: string;

  @PrimaryColumn('text')
  key_id: string;

  @Column('text')
  sealed: string;
}
