import { Column, type ColumnOptions, CreateDateColumn, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';

const MOMENT = { type: 'timestamptz', precision: 3 } as const;

/** A moment, to the millisecond: what a client reads it can send back. */
export const Moment = (options: ColumnOptions = {}) => Column({ ...MOMENT, ...options });

/** What is written down once. */
export abstract class Row {
  @PrimaryGeneratedColumn('identity')
  id: number;

  @CreateDateColumn(MOMENT)
  created_at: Date;
}

/** What is changed afterwards. */
export abstract class ChangingRow extends Row {
  @UpdateDateColumn(MOMENT)
  updated_at: Date;
}
