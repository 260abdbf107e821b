import { ApiProperty, IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { IsMoney, IsText } from '../../common/http/fields.js';
import { GymListQuery } from '../../common/http/list.js';
import { IsNullable } from '../../common/http/nulls.js';
import { IsId } from '../../common/http/whole.js';

/** Who gives a course. */
export class CourseTrainerDto {
  /** The account. @example 6 */
  @IsId()
  id: number;

  /** @example "Tiago Moreira" */
  full_name: string;

  /** @example "tiago.moreira" */
  username: string | null;
}

export class CourseDto {
  /** @example 1 */
  @IsId()
  id: number;

  /** @example "Kettlebell basics" */
  @IsText(1, 200)
  title: string;

  /** @example "Six weeks, twice a week, for beginners." */
  @IsNullable()
  @IsText(0, 5000)
  description: string | null;

  /** @example 49.9 */
  @IsMoney()
  price: number;

  /** Whose course it is: a profile of the type `trainer`. @example 1 */
  @IsId()
  trainer_profile_id: number;

  trainer: CourseTrainerDto;

  /** @example 7 */
  @ApiProperty({ type: 'integer' })
  enrolment_count: number;

  /** It is in no list but that of its trainer and of those who take it, and takes no one new. @example false */
  @IsBoolean()
  is_archived: boolean;

  /** Whether you take it. @example false */
  is_enrolled: boolean;

  created_at: Date;

  updated_at: Date;
}

export class CreateCourseDto extends IntersectionType(
  PickType(CourseDto, ['title', 'price']),
  PartialType(PickType(CourseDto, ['description'])),
) {
  /** Default: your own. A manager publishes for the trainers of the gym, an admin for all. @example 1 */
  @IsOptional()
  @IsId()
  trainer_profile_id?: number;
}

/** What is not sent stays as it is. */
export class UpdateCourseDto extends PartialType(
  PickType(CourseDto, ['title', 'description', 'price', 'is_archived']),
) {}

export class CourseListQuery extends GymListQuery {
  /** Only those of this gym's trainers. Default: those of all gyms. */
  @IsOptional()
  @IsId()
  override gym_id?: number;

  /** Words of the title or the description. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  search?: string;
}

export class MyCoursesQuery extends PickType(CourseListQuery, ['limit', 'cursor', 'count', 'gym_id']) {
  /** `trainer`: only those you give; `trainee`: only those you take. Default: both. */
  @IsOptional()
  @IsIn(['trainer', 'trainee'])
  as?: 'trainer' | 'trainee';
}
