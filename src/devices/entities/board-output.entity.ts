import { Column, Entity, JoinColumn, OneToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Moment } from '../../database/entities/rows.js';
import { Device } from './device.entity.js';

/** The last that a lab board has said. */
@Entity('board_outputs')
export class BoardOutput {
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'board_outputs_pkey' })
  device_id: number;

  @OneToOne(() => Device, { onDelete: 'CASCADE' })
  @JoinColumn()
  device: Relation<Device>;

  @Column('text')
  output: string;

  @Moment()
  updated_at: Date;
}
