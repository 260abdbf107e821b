import { Column, Entity, Index, JoinColumn, ManyToOne, type Relation, Unique } from 'typeorm';
import { Row } from '../../database/entities/rows.js';
import { User } from '../../people/entities/user.entity.js';
import { Course } from './course.entity.js';

/** A person takes a course, once. */
@Entity('course_enrolments')
@Unique(['course_id', 'user_id'])
@Index('course_enrolments_user_id_idx', ['user_id', 'course_id'])
export class CourseEnrolment extends Row {
  @ManyToOne(() => Course, { onDelete: 'CASCADE' })
  @JoinColumn()
  course: Relation<Course>;

  @Column('integer')
  course_id: number;

  @ManyToOne(() => User)
  @JoinColumn()
  user: Relation<User>;

  @Column('integer')
  user_id: number;
}
