import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** The answer to a request that carried an Idempotency-Key; kept for 24 hours, or until a person in it is deleted. */
@Entity('idempotency_keys')
@Index(['created_at'])
@Index('idempotency_keys_people_idx', { synchronize: false }) // GIN (people)
export class StoredAnswer {
  /** `user:5` or `device:7`. */
  @PrimaryColumn('text')
  owner: string;

  @PrimaryColumn('text')
  route: string;

  @PrimaryColumn('text')
  key: string;

  /** A keyed hash of what was asked. */
  @Column('bytea')
  fingerprint: Buffer;

  /** Of the owner, when it was done: an account that was moved or got another role does not get the answer. */
  @Column('text')
  role: string;

  @Column('integer', { nullable: true })
  gym_id: number | null;

  @Column('json', { nullable: true })
  answer: object | null;

  /** The people that the answer is about. */
  @Column('integer', { array: true, default: '{}' })
  people: number[];

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  created_at: Date;
}
