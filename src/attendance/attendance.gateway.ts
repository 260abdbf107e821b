import { ConnectedSocket, WebSocketServer } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor, GymScope, Principal } from '../common/actor/actor.js';
import { PUBLIC } from '../common/actor/access.js';
import { DESK } from '../common/actor/roles.js';
import {
  FieldsInvalid,
  InternalError,
  NotSignedIn,
  PasswordChangeRequired,
  RoleNotAllowed,
  SessionEnded,
} from '../common/errors/common.errors.js';
import { DomainError } from '../common/errors/domain-error.js';
import { keyOfMessage, REPEATABLE_ERRORS } from '../common/http/idempotency.js';
import { MessageBody, validated } from '../common/http/validation.js';
import { Arrivals } from '../common/ws/arrivals.js';
import { type AppSocket, Gateway, Message, SocketDoor, type Welcoming } from '../common/ws/gateway.js';
import {
  AuthenticateDto,
  AuthenticationSuccessDto,
  HeartbeatAckDto,
  type RefusalDto,
} from '../common/ws/messages.dto.js';
import { CHECK_IN_ERRORS, CHECK_OUT_ERRORS } from './attendance.errors.js';
import { AttendanceService } from './attendance.service.js';
import { VisitNumbers } from './visit-numbers.js';
import {
  BatchDto,
  type BatchOutcomeDto,
  BatchResultDto,
  CheckInMessageDto,
  CheckOutMessageDto,
} from './dto/checkin-messages.dto.js';
import { VisitDto } from './dto/visit.dto.js';

/** `/checkins`: the desk checks people in and out and sees who comes. */
@Gateway('/checkins')
export class AttendanceGateway implements Welcoming {
  @WebSocketServer()
  private readonly namespace: Namespace;
  private readonly arrivals = new Arrivals<GymScope>(async (socketIds, scope) => {
    this.namespace.local.to(socketIds).emit('initial_stats', await this.numbers.stats(scope));
  });

  constructor(
    private readonly attendance: AttendanceService,
    private readonly numbers: VisitNumbers,
    private readonly door: SocketDoor,
  ) {}

  onSignedIn(socket: AppSocket, principal: Principal): Promise<void> {
    const scope = principal.scope();
    return this.arrivals.add(socket.id, String(scope.gym_id), scope);
  }

  @Message('authenticate', {
    summary: 'Sign in, for clients that connect first',
    roles: PUBLIC,
    payload: AuthenticateDto,
    answer: { event: 'authentication_success', payload: AuthenticationSuccessDto },
    errors: [NotSignedIn, SessionEnded, RoleNotAllowed, PasswordChangeRequired],
  })
  async authenticate(
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() body: AuthenticateDto,
  ): Promise<AuthenticationSuccessDto> {
    await this.door.authenticate(socket, body.token);
    return { message: 'Authenticated' };
  }

  @Message('check_in', {
    summary: 'Check a member in, as POST /attendance does',
    roles: DESK,
    payload: CheckInMessageDto,
    answer: { event: 'check_in_success', payload: VisitDto },
    refusal: 'check_in_error',
    errors: [...CHECK_IN_ERRORS, ...REPEATABLE_ERRORS],
  })
  checkIn(@CurrentActor() actor: Actor, @MessageBody() body: CheckInMessageDto): Promise<VisitDto> {
    const { member_id, ...rest } = body;
    const key = keyOfMessage('/checkins check_in', body);
    return this.attendance.checkIn(actor, { ...rest, user_id: member_id }, key).catch(namingMember);
  }

  @Message('check_out', {
    summary: 'Check a member out',
    roles: DESK,
    payload: CheckOutMessageDto,
    answer: { event: 'check_out_success', payload: VisitDto },
    refusal: 'check_out_error',
    errors: [...CHECK_OUT_ERRORS, ...REPEATABLE_ERRORS],
  })
  checkOut(@CurrentActor() actor: Actor, @MessageBody() body: CheckOutMessageDto): Promise<VisitDto> {
    return this.attendance.checkOut(actor, body.check_in_id, body, keyOfMessage('/checkins check_out', body));
  }

  @Message('batch', {
    summary:
      'Several check-outs and then check-ins, one after the other; each stands for itself, with a key of its own',
    roles: DESK,
    payload: BatchDto,
    answer: { event: 'batch_result', payload: BatchResultDto },
  })
  async batch(@CurrentActor() actor: Actor, @MessageBody() { batches }: BatchDto): Promise<BatchResultDto> {
    const result: BatchResultDto = { check_out: [], check_in: [] };
    for (const entry of batches.check_out ?? []) {
      const work = () => this.checkOut(actor, validated(CheckOutMessageDto, entry));
      result.check_out.push(await outcome('check_out', work));
    }
    for (const entry of batches.check_in ?? []) {
      const work = () => this.checkIn(actor, validated(CheckInMessageDto, entry));
      result.check_in.push(await outcome('check_in', work));
    }
    return result;
  }

  @Message('heartbeat', {
    summary: 'Is the server there?',
    roles: DESK,
    answer: { event: 'heartbeat_ack', payload: HeartbeatAckDto },
  })
  heartbeat(): HeartbeatAckDto {
    return { timestamp: new Date().toISOString() };
  }
}

/** What REST calls user_id is member_id in these messages. */
function namingMember(error: unknown): never {
  throw FieldsInvalid.renamed(error, { user_id: 'member_id' });
}

/** The visit, or the refusal as the client would have got it alone. */
async function outcome(event: string, work: () => Promise<VisitDto>): Promise<BatchOutcomeDto> {
  try {
    return { visit: await work() };
  } catch (error) {
    if (!(error instanceof DomainError) || error instanceof InternalError) throw error;
    const refusal: RefusalDto = { code: error.kind.code, error: error.message, event, errors: error.data.errors };
    return { refusal };
  }
}
