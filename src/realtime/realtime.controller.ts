import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { PUBLIC } from '../common/actor/access.js';
import { Operation } from '../common/http/operation.js';
import { RealtimeHealthDto } from './dto/realtime.dto.js';
import { Sockets } from './sockets.js';

@ApiTags('realtime')
@Controller('realtime')
export class RealtimeController {
  constructor(private readonly sockets: Sockets) {}

  @Get('health')
  @Operation({ summary: 'The sockets of this server, in numbers', roles: PUBLIC, answer: RealtimeHealthDto })
  health(): RealtimeHealthDto {
    return this.sockets.health();
  }
}
