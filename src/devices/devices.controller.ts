import { Controller, Delete, Get, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentActor } from '../common/actor/access.js';
import type { Actor } from '../common/actor/actor.js';
import { TooManyRequests } from '../common/errors/common.errors.js';
import { DESK, DESK_AND_MEMBERS, MANAGERS } from '../common/actor/roles.js';
import { Idempotency, type IdempotencyKey } from '../common/http/idempotency.js';
import type { Page } from '../common/http/list.js';
import { Operation } from '../common/http/operation.js';
import { DeviceNumberInPath, IdInPath } from '../common/http/path.js';
import { Body, Query } from '../common/http/validation.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { HourNotBooked } from '../slots/slots.errors.js';
import { AccessService } from './access.service.js';
import { BoardsService } from './boards.service.js';
import { BoardNotConnected, BoardTimedOut, DeviceNotFound, DeviceNumberTaken } from './devices.errors.js';
import { DevicesService } from './devices.service.js';
import { AccessDto, AskAccessDto } from './dto/access.dto.js';
import {
  BoardQuery,
  CreateDeviceDto,
  DeviceDto,
  DeviceListQuery,
  DeviceWithKeyDto,
  SerialOutputDto,
  UpdateDeviceDto,
  UploadDto,
  UploadResultDto,
} from './dto/device.dto.js';

@ApiTags('devices')
@Controller('devices')
export class DevicesController {
  constructor(
    private readonly devices: DevicesService,
    private readonly access: AccessService,
    private readonly boards: BoardsService,
  ) {}

  @Get()
  @Operation({ summary: 'The devices, by name', roles: DESK, answer: [DeviceDto], list: true })
  list(@CurrentActor() actor: Actor, @Query() query: DeviceListQuery): Promise<Page<DeviceDto>> {
    return this.devices.list(actor, query);
  }

  @Post()
  @Operation({
    summary: 'Register a device',
    description: 'The answer shows its key, once. Note it now: it is stored as a hash.',
    roles: MANAGERS,
    status: 201,
    answer: DeviceWithKeyDto,
    errors: [DeviceNumberTaken, GymInactive],
    idempotent: true,
  })
  create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateDeviceDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<DeviceWithKeyDto> {
    return this.devices.create(actor, body, key);
  }

  @Post('access')
  @Operation({
    summary: 'May this person come in?',
    description:
      'Decides as a reader at the door does, and records it. A member who is allowed in has begun a visit, and has used a session if ' +
      'the plan counts them. The same question within 5 seconds gets the same answer and does nothing twice. With ' +
      '`allow_reentry` of the gym, a member who is inside may enter again; otherwise that is `already_inside`.\n\n' +
      'After ten unknown codes in a minute the questions of that device (without one: of that account) are refused with 429 ' +
      'for some seconds, whatever the code, and the consoles are told (`access_alarm`). Good codes do not count.',
    roles: DESK,
    answer: AccessDto,
    errors: [DeviceNotFound, TooManyRequests],
    idempotent: true,
    needsBody: true,
  })
  ask(
    @CurrentActor() actor: Actor,
    @Body() body: AskAccessDto,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<AccessDto> {
    return this.access.decide(actor, body, key);
  }

  @Post(':device_number/upload')
  @Operation({
    summary: 'Run code on a lab board',
    description:
      'For the person who has booked the current hour in its gym, and staff. The answer comes when the board has run it, within 60 s.',
    roles: DESK_AND_MEMBERS,
    answer: UploadResultDto,
    errors: [DeviceNotFound, HourNotBooked, BoardNotConnected, BoardTimedOut],
  })
  upload(
    @CurrentActor() actor: Actor,
    @DeviceNumberInPath('device_number') deviceNumber: number,
    @Query() { gym_id }: BoardQuery,
    @Body() { code }: UploadDto,
  ): Promise<UploadResultDto> {
    return this.boards.upload(actor, deviceNumber, code, gym_id);
  }

  @Get(':device_number/serial-output')
  @Operation({
    summary: 'What a lab board has said last',
    description:
      'For the person who has booked the current hour in its gym, and staff. `/devices` of Socket.IO tells it live.',
    roles: DESK_AND_MEMBERS,
    answer: SerialOutputDto,
    errors: [DeviceNotFound, HourNotBooked],
  })
  readSerial(
    @CurrentActor() actor: Actor,
    @DeviceNumberInPath('device_number') deviceNumber: number,
    @Query() { gym_id }: BoardQuery,
  ): Promise<SerialOutputDto> {
    return this.boards.lastOutput(actor, deviceNumber, gym_id);
  }

  @Get(':device_id')
  @Operation({ summary: 'One device', roles: DESK, answer: DeviceDto, errors: [DeviceNotFound] })
  get(@CurrentActor() actor: Actor, @IdInPath('device_id') deviceId: number): Promise<DeviceDto> {
    return this.devices.get(actor, deviceId);
  }

  @Put(':device_id')
  @Operation({
    summary: 'Change or revoke a device',
    description: '`is_active: false` revokes it: it is cut off at once.',
    roles: MANAGERS,

    answer: DeviceDto,
    errors: [DeviceNotFound, DeviceNumberTaken],
  })
  update(
    @CurrentActor() actor: Actor,
    @IdInPath('device_id') deviceId: number,
    @Body() body: UpdateDeviceDto,
  ): Promise<DeviceDto> {
    return this.devices.update(actor, deviceId, body);
  }

  @Delete(':device_id')
  @Operation({
    summary: 'Remove a device',
    description: 'The visits that it began stay.',
    roles: MANAGERS,

    status: 204,
    errors: [DeviceNotFound],
  })
  remove(@CurrentActor() actor: Actor, @IdInPath('device_id', 3) deviceId: number): Promise<void> {
    return this.devices.remove(actor, deviceId);
  }

  @Post(':device_id/rotate-key')
  @Operation({
    summary: 'Give a device a new key',
    description: 'The answer shows it, once. The old one opens nothing any more, and its connection is cut.',
    roles: MANAGERS,

    answer: DeviceWithKeyDto,
    errors: [DeviceNotFound],
    idempotent: true,
  })
  rotateKey(
    @CurrentActor() actor: Actor,
    @IdInPath('device_id') deviceId: number,
    @Idempotency() key: IdempotencyKey | null,
  ): Promise<DeviceWithKeyDto> {
    return this.devices.rotateKey(actor, deviceId, key);
  }
}
