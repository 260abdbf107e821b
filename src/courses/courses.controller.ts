import { Controller, Delete, Get, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { DESK_AND_MEMBERS, type Role } from '../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import { IdInPath } from '../common/http/path.js';
import { Operation } from '../common/http/operation.js';
import { Body, Query } from '../common/http/validation.js';
import { UserNotFound } from '../people/people.errors.js';
import {
  CourseArchived,
  CourseHasEnrolments,
  CourseNotFound,
  NoTrainerProfile,
  NotYourCourse,
  OwnCourse,
} from './courses.errors.js';
import { CoursesService } from './courses.service.js';
import { CourseDto, CourseListQuery, CreateCourseDto, MyCoursesQuery, UpdateCourseDto } from './dto/courses.dto.js';

/** Reception reads. */
export const TAKERS = ['admin', 'manager', 'trainer', 'user'] as const satisfies readonly Role[];

const REMOVE = {
  summary: 'Delete a course',
  description: 'Its trainer, the manager of their gym, or an admin. One that people take is archived first.',
  roles: TAKERS,
  status: 204,
  errors: [CourseNotFound, NotYourCourse, CourseHasEnrolments],
} satisfies Parameters<typeof Operation>[0];

/** `/courses`: what trainers offer, in all gyms. The longer paths are those of earlier clients. */
@ApiTags('courses')
@Controller('courses')
export class CoursesController {
  constructor(private readonly courses: CoursesService) {}

  @Get(['', 'for-trainees'])
  @Operation({
    summary: 'The courses of all gyms, the newest first',
    description: 'Without the archived ones, and those of trainers who are inactive.',
    roles: DESK_AND_MEMBERS,
    answer: [CourseDto],
    list: true,
  })
  list(@CurrentActor() actor: Actor, @Query() query: CourseListQuery): Promise<Page<CourseDto>> {
    return this.courses.list(actor, query);
  }

  @Get('mine')
  @Operation({
    summary: 'The courses that you give or take, the newest first',
    roles: DESK_AND_MEMBERS,
    answer: [CourseDto],
    list: true,
  })
  listMine(@CurrentActor() actor: Actor, @Query() query: MyCoursesQuery): Promise<Page<CourseDto>> {
    return this.courses.listMine(actor, query);
  }

  @Post(['', 'create'])
  @Operation({
    summary: 'Publish a course',
    description:
      'It takes a trainer profile: POST /accounts/{account_id}/profiles. Who is hired as a trainer gets it with the ' +
      'first course.',
    roles: TAKERS,
    status: 201,
    answer: CourseDto,
    errors: [NoTrainerProfile, NotYourCourse, UserNotFound],
    idempotent: true,
  })
  create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateCourseDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<CourseDto> {
    return this.courses.create(actor, body, key);
  }

  @Get([':course_id', ':course_id/detail'])
  @Operation({ summary: 'One course', roles: DESK_AND_MEMBERS, answer: CourseDto, errors: [CourseNotFound] })
  get(@CurrentActor() actor: Actor, @IdInPath('course_id') courseId: number): Promise<CourseDto> {
    return this.courses.get(actor, courseId);
  }

  @Put([':course_id', ':course_id/update'])
  @Operation({
    summary: 'Change or archive a course',
    description: 'Its trainer, the manager of their gym, or an admin.',
    roles: TAKERS,
    answer: CourseDto,
    errors: [CourseNotFound, NotYourCourse],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('course_id') courseId: number,
    @Body() body: UpdateCourseDto,
  ): Promise<CourseDto> {
    return this.courses.update(actor, courseId, body);
  }

  @Delete(':course_id')
  @Operation(REMOVE)
  remove(@CurrentActor() actor: Actor, @IdInPath('course_id', 3) courseId: number): Promise<void> {
    return this.courses.remove(actor, courseId);
  }

  @Delete(':course_id/delete')
  @Operation(REMOVE)
  removeLegacy(@CurrentActor() actor: Actor, @IdInPath('course_id', 8) courseId: number): Promise<void> {
    return this.courses.remove(actor, courseId);
  }

  @Post(':course_id/enrol')
  @Operation({
    summary: 'Take a course',
    description: 'Once: again, it is answered the same.',
    roles: TAKERS,
    answer: CourseDto,
    errors: [CourseNotFound, OwnCourse, CourseArchived],
  })
  enrol(@CurrentActor() actor: Actor, @IdInPath('course_id') courseId: number): Promise<CourseDto> {
    return this.courses.enrol(actor, courseId);
  }

  @Delete(':course_id/enrol')
  @Operation({
    summary: 'Leave a course',
    description: 'Who does not take it has left it.',
    roles: TAKERS,
    status: 204,
    errors: [CourseNotFound],
  })
  leave(@CurrentActor() actor: Actor, @IdInPath('course_id') courseId: number): Promise<void> {
    return this.courses.leave(actor, courseId);
  }
}
