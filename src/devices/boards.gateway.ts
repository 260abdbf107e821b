import { ConnectedSocket, type OnGatewayDisconnect, type OnGatewayInit } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor, DeviceActor } from '../common/actor/actor.js';
import { DESK_AND_MEMBERS } from '../common/actor/roles.js';
import { OtherGym } from '../common/errors/common.errors.js';
import { MessageBody } from '../common/http/validation.js';
import { type AppSocket, Gateway, Message } from '../common/ws/gateway.js';
import { HourNotBooked } from '../slots/slots.errors.js';
import { BoardsService } from './boards.service.js';
import { DeviceNotFound } from './devices.errors.js';
import { ReadSerialDto, SerialChunkDto, SerialOutputDto } from './dto/device.dto.js';

/** Of `/devices`: lab boards say something, and those who may read it hear it. */
@Gateway('/devices')
export class BoardsGateway implements OnGatewayInit, OnGatewayDisconnect {
  constructor(private readonly boards: BoardsService) {}

  afterInit(namespace: Namespace): void {
    this.boards.useNamespace(namespace);
  }

  handleDisconnect({ id, data: { principal } }: AppSocket): void {
    if (principal?.is('board')) this.boards.boardLeft(id);
  }

  @Message('serial_output', {
    summary: 'From a lab board: what it says; told to all who may read it',
    roles: ['board'],
    payload: SerialChunkDto,
  })
  serialOutput(@CurrentActor() actor: DeviceActor, @MessageBody() { output }: SerialChunkDto): Promise<void> {
    return this.boards.keepAndTell(actor, output);
  }

  @Message('read_serial', {
    summary: 'From the person who has the current hour, or staff: what the board has said, and from now on says',
    roles: DESK_AND_MEMBERS,
    payload: ReadSerialDto,
    answer: { event: 'serial_history', payload: SerialOutputDto },
    errors: [OtherGym, DeviceNotFound, HourNotBooked],
  })
  async readSerial(
    @CurrentActor() actor: Actor,
    @ConnectedSocket() socket: AppSocket,
    @MessageBody() { device_number, gym_id }: ReadSerialDto,
  ): Promise<SerialOutputDto> {
    await socket.join(await this.boards.roomFor(actor, device_number, gym_id));
    return this.boards.lastOutput(actor, device_number, gym_id);
  }
}
