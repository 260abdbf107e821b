import { Check, Column, Entity, Index } from 'typeorm';
import { ChangingRow } from '../../database/entities/rows.js';

@Entity('gyms')
// PostgreSQL refuses a zone it does not know: what it cannot compute a day in must not be stored. What has no region
// (CET, IST) is not the same clock for everyone.
@Check(
  'gyms_timezone_check',
  `timestamptz '2000-01-01Z' AT TIME ZONE timezone IS NOT NULL AND (timezone = 'UTC' OR timezone ~ '^[A-Z][A-Za-z]*/')`,
)
@Index('gyms_name_key', { synchronize: false }) // unique on fold(name), which TypeORM cannot say
export class Gym extends ChangingRow {
  @Column({ type: 'text', collation: 'und-x-icu' })
  name: string;

  @Column('text', { nullable: true })
  address: string | null;

  @Column('text', { nullable: true })
  phone_number: string | null;

  /** IANA name: the gym's local day is computed from it. */
  @Column('text', { default: 'UTC' })
  timezone: string;

  @Column('boolean', { default: true })
  is_active: boolean;

  /** A member who is inside may enter again; otherwise the door says already_inside. */
  @Column('boolean', { default: false })
  allow_reentry: boolean;
}
