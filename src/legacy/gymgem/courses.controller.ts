import { Delete, Get, Post, Put } from '@nestjs/common';
import { ProfilesService } from '../../accounts/profiles.service.js';
import { CurrentActor } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { DESK_AND_MEMBERS } from '../../common/actor/roles.js';
import { FieldsInvalid } from '../../common/errors/common.errors.js';
import { Idempotency, type IdempotencyKey } from '../../common/http/idempotency.js';
import { Body } from '../../common/http/validation.js';
import { TAKERS } from '../../courses/courses.controller.js';
import { CourseNotFound, NoTrainerProfile } from '../../courses/courses.errors.js';
import { CoursesService } from '../../courses/courses.service.js';
import { Refusal, type Texts } from '../wire/refusal.js';
import { LegacyController, LegacyId, Wire } from '../wire/route.js';
import { GymgemCourseChangesDto, GymgemCourseDto, GymgemListedCourseDto, GymgemNewCourseDto } from './gymgem.dto.js';
import { courseWire, listedCourseWire } from './gymgem.wire.js';

const MOST_COURSES = 500;
const NOT_FOUND = 'Course not found';
const NO_PROFILE = 'You have no such trainer profile';
const TEXTS: Texts = [[CourseNotFound, 404, NOT_FOUND]];

/** What trainers offer, in all gyms, at both bases. */
@LegacyController('gymgem', 'api/courses', 'gymgem-web/api/courses')
export class GymgemCoursesController {
  constructor(
    private readonly courses: CoursesService,
    private readonly profiles: ProfilesService,
  ) {}

  @Post('create')
  @Wire({
    summary: 'Publish a course',
    ...{ roles: TAKERS, status: 201, answer: GymgemCourseDto, texts: [[NoTrainerProfile, 403, NO_PROFILE]] },
  })
  async create(
    @CurrentActor() actor: Actor,
    @Body() { trainer_profile: profileId, ...course }: GymgemNewCourseDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<GymgemCourseDto> {
    // These clients publish for themselves alone.
    const { profiles } = await this.profiles.held(actor, actor.user_id);
    if (profileId !== undefined && !profiles.some(({ id }) => id === profileId)) throw new Refusal(403, NO_PROFILE);
    const created = this.courses
      .create(actor, { ...course, trainer_profile_id: profileId }, key)
      .catch((error: unknown) => {
        // The body was right, so what is wrong is whose profile it is.
        throw error instanceof FieldsInvalid ? new Refusal(403, NO_PROFILE) : error;
      });
    return courseWire(await created);
  }

  @Get('for-trainees')
  @Wire({
    summary: 'The courses of all gyms, the newest first',
    roles: DESK_AND_MEMBERS,
    answer: [GymgemListedCourseDto],
  })
  async list(@CurrentActor() actor: Actor): Promise<GymgemListedCourseDto[]> {
    const page = await this.courses.listNumbered(actor, { size: MOST_COURSES });
    return (await page.items()).map((course) => listedCourseWire(course));
  }

  @Get(':id/detail')
  @Wire({ summary: 'One course', roles: DESK_AND_MEMBERS, answer: GymgemCourseDto, texts: TEXTS })
  async get(@CurrentActor() actor: Actor, @LegacyId('id', NOT_FOUND) id: number): Promise<GymgemCourseDto> {
    return courseWire(await this.courses.get(actor, id));
  }

  @Put(':id/update')
  @Wire({ summary: 'Change a course', roles: TAKERS, answer: GymgemCourseDto, texts: TEXTS })
  async update(
    @CurrentActor() actor: Actor,
    @LegacyId('id', NOT_FOUND) id: number,
    @Body() body: GymgemCourseChangesDto,
  ): Promise<GymgemCourseDto> {
    return courseWire(await this.courses.update(actor, id, body));
  }

  @Delete(':id/delete')
  @Wire({ summary: 'Delete a course that is taken by no one', roles: TAKERS, status: 204, texts: TEXTS })
  remove(@CurrentActor() actor: Actor, @LegacyId('id', NOT_FOUND) id: number): Promise<void> {
    return this.courses.remove(actor, id);
  }
}
