import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A value that only the key of this id opens. */
@Entity('key_checks')
export class KeyCheck {
  /** ENCRYPTION_KEYS or FINGERPRINT_KEYS. */
  @PrimaryColumn('text')
  ring: string;

  @PrimaryColumn('text')
  key_id: string;

  @Column('text')
  sealed: string;
}
