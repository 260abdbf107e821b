import { Get, Post, type StreamableFile } from '@nestjs/common';
import { CurrentActor } from '../../common/actor/access.js';
import type { Actor } from '../../common/actor/actor.js';
import { DESK, MANAGERS, STAFF } from '../../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../../common/http/idempotency.js';
import { Body, Query } from '../../common/http/validation.js';
import type { UserPlanDto } from '../../plans/dto/user-plan.dto.js';
import {
  NoSessionsLeft,
  PlanNotActive,
  PlanNotFound,
  SessionsNotCounted,
  UserPlanNotFound,
} from '../../plans/plans.errors.js';
import { PlansService } from '../../plans/plans.service.js';
import { UserPlansService } from '../../plans/user-plans.service.js';
import type { Texts } from '../wire/refusal.js';
import { LegacyController, LegacyId, Wire } from '../wire/route.js';
import { allOf, Branches } from './branches.js';
import {
  ActivateBody,
  BranchQuery,
  DeductBody,
  DeductedWire,
  Done,
  DoneList,
  FreezeBody,
  RenewBody,
  ServiceWire,
  StopBody,
  SubscriptionsQuery,
  SubscriptionWire,
} from './flutter-app.dto.js';
import {
  done,
  listed,
  notThere,
  numbersIn,
  requireTrueSize,
  servicesOf,
  statusIn,
  statusOf,
  subscriptionOf,
} from './flutter-app.wire.js';

const NOT_FOUND = 'Subscription not found';
const texts: Texts = [
  [UserPlanNotFound, 404, NOT_FOUND],
  [PlanNotFound, 404, 'Service not found'],
];
const ofOthers = notThere({ user_id: 'Customer not found', plan_id: 'Service not found' });
const NO_SESSIONS = 'No sessions remaining';
const textsOfDeduction: Texts = [
  ...texts,
  [NoSessionsLeft, 400, NO_SESSIONS],
  [SessionsNotCounted, 400, NO_SESSIONS],
  [PlanNotActive, 400],
];
const answer = Done(SubscriptionWire);

/** User plans, which these apps call subscriptions, and plans, which are their services. */
@LegacyController('flutter-app', 'api')
export class FlutterSubscriptionsController {
  constructor(
    private readonly userPlans: UserPlansService,
    private readonly plans: PlansService,
    private readonly branches: Branches,
  ) {}

  @Get('subscriptions')
  @Wire({ summary: 'The subscriptions, the newest first', roles: STAFF, answer: DoneList(SubscriptionWire) })
  async list(@CurrentActor() actor: Actor, @Query() query: SubscriptionsQuery): Promise<StreamableFile> {
    const filters = { gym_id: query.branch_id, user_id: query.customer_id, status: statusIn(query.status) };
    const gyms = await this.branches.known(actor);
    const page = await this.userPlans.listNumbered(actor, { ...numbersIn(query), ...filters });
    return listed(page, (plan) => subscriptionOf(plan, gyms));
  }

  @Post(['subscriptions/:id/deduct', 'subscriptions/:id/deduct-session', 'subscriptions/:id/use-coins'])
  @Wire({ summary: 'Takes one session or coin', roles: DESK, answer: Done(DeductedWire), texts: textsOfDeduction })
  async deduct(
    @CurrentActor() actor: Actor,
    @LegacyId('id', NOT_FOUND) id: number,
    @Body() { customer_id }: DeductBody,
    @Idempotency() key: IdempotencyKey | null,
  ) {
    const { remaining_sessions, status } = await this.userPlans.deduct(actor, id, key, customer_id);
    return done({ remaining_sessions, status: statusOf(status) }, 'Session deducted successfully');
  }

  @Get('services')
  @Wire({ summary: 'What is sold, by time first', roles: STAFF, answer: Done([ServiceWire]) })
  async listServices(@CurrentActor() actor: Actor, @Query() { branch_id: gymId }: BranchQuery) {
    return done(servicesOf(await allOf((query) => this.plans.list(actor, { ...query, gym_id: gymId }, true))));
  }

  @Post('subscriptions/activate')
  @Wire({ summary: 'Sells a service to a customer who has none', roles: DESK, status: 201, answer, texts })
  async activate(@CurrentActor() actor: Actor, @Body() body: ActivateBody, @Idempotency() key: IdempotencyKey | null) {
    actor.scope(body.branch_id);
    const service = await this.plans.get(actor, body.service_id);
    // An admin may in each branch, and means the one that is named.
    if (body.branch_id !== undefined && body.branch_id !== service.gym_id) throw new PlanNotFound();
    requireTrueSize(service, body);
    const { customer_id, service_id, amount } = body;
    const sale = { user_id: customer_id, plan_id: service_id, purchased_price: amount, start: 'if_none' } as const;
    return this.show(
      actor,
      await this.userPlans.assign(actor, sale, key).catch(ofOthers),
      'Subscription activated successfully',
    );
  }

  @Post('subscriptions/renew')
  @Wire({ summary: 'Sells the same service again, after the current one', roles: DESK, answer, texts })
  async renew(@CurrentActor() actor: Actor, @Body() body: RenewBody, @Idempotency() key: IdempotencyKey | null) {
    const { user_id, plan_id } = await this.userPlans.get(actor, body.subscription_id);
    const sale = { user_id, plan_id, purchased_price: body.amount, start: 'after_current' } as const;
    const renewed = await this.userPlans.assign(actor, sale, key).catch(ofOthers);
    return this.show(actor, renewed, 'Subscription renewed successfully');
  }

  @Post('subscriptions/freeze')
  @Wire({ summary: 'Stops its time', roles: MANAGERS, answer, texts })
  async freeze(@CurrentActor() actor: Actor, @Body() { subscription_id, freeze_days: days }: FreezeBody) {
    const frozen = await this.userPlans.freeze(actor, subscription_id, { days }, null);
    return this.show(actor, frozen, 'Subscription frozen successfully');
  }

  @Post('subscriptions/stop')
  @Wire({ summary: 'Ends it; what was paid stays', roles: MANAGERS, answer, texts })
  async stop(@CurrentActor() actor: Actor, @Body() { subscription_id }: StopBody) {
    const stopped = await this.userPlans.cancel(actor, subscription_id, {}, null);
    return this.show(actor, stopped, 'Subscription stopped successfully');
  }

  private async show(actor: Actor, plan: UserPlanDto, message: string) {
    return done(subscriptionOf(plan, await this.branches.known(actor)), message);
  }
}
