import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** The answer to a request that carried an Idempotency-Key; kept for 24 hours. */
@Entity('idempotency_keys')
@Index(['created_at'])
export class StoredAnswer {
  @PrimaryColumn('integer')
  user_id: number;

  @PrimaryColumn('text')
  route: string;

  @PrimaryColumn('text')
  key: string;

  /** SHA-256 of path and body. */
  @Column('bytea')
  fingerprint: Buffer;

  @Column('json', { nullable: true })
  answer: object | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  created_at: Date;
}
